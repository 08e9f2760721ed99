// SPDX-License-Identifier: Apache-2.0
// The cell that a technology would bring and that CV32E40P names. The clock runs always, which changes no cycle of a
// core that never sleeps.
module cv32e40p_clock_gate (
    input  logic clk_i,
    input  logic en_i,
    input  logic scan_cg_en_i,
    output logic clk_o
);
  assign clk_o = clk_i;
endmodule
