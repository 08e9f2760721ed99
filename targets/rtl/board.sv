// SPDX-License-Identifier: Apache-2.0
// A core with a memory that answers each request in the next cycle. Memory and the host's services lie in
// testbench.cpp; `core` is one of the wrappers beside this file.
module board (
    input logic clk,
    input logic rst_n
);
  import "DPI-C" function int unsigned memory_fetch(input int unsigned address);
  import "DPI-C" function int unsigned memory_load(input int unsigned address);
  import "DPI-C" function void memory_store(
    input int unsigned address,
    input int unsigned enabled,
    input int unsigned data
  );

  logic fetch_req, fetch_valid;
  logic [31:0] fetch_addr, fetch_data;
  logic data_req, data_write, data_valid;
  logic [3:0] data_enabled;
  logic [31:0] data_addr, data_written, data_read;

  core core_i (.*);

  always_ff @(posedge clk) begin
    fetch_valid <= rst_n && fetch_req;
    data_valid  <= rst_n && data_req;
    if (rst_n && fetch_req) fetch_data <= memory_fetch(fetch_addr);
    if (rst_n && data_req) begin
      if (data_write) memory_store(data_addr, {28'b0, data_enabled}, data_written);
      else data_read <= memory_load(data_addr);
    end
  end
endmodule
