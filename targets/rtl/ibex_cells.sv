// SPDX-License-Identifier: Apache-2.0
// Cells that a technology would bring and that Ibex names: a buffer, a gate, a register. The clock runs always, which
// changes no cycle of a core that never sleeps.
module prim_buf #(
    parameter int Width = 1
) (
    input  logic [Width-1:0] in_i,
    output logic [Width-1:0] out_o
);
  assign out_o = in_i;
endmodule

module prim_and2 #(
    parameter int Width = 1
) (
    input  logic [Width-1:0] in0_i,
    input  logic [Width-1:0] in1_i,
    output logic [Width-1:0] out_o
);
  assign out_o = in0_i & in1_i;
endmodule

module prim_flop #(
    parameter int Width = 1,
    parameter logic [Width-1:0] ResetValue = '0
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic [Width-1:0] d_i,
    output logic [Width-1:0] q_o
);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) q_o <= ResetValue;
    else q_o <= d_i;
  end
endmodule

module prim_clock_gating (
    input  logic clk_i,
    input  logic en_i,
    input  logic test_en_i,
    output logic clk_o
);
  assign clk_o = clk_i;
endmodule
