/* The sample traffic of `vantage demo`, as recorded by samples/record.sh. */
    .section .rodata
    .globl sample_begin
    .globl sample_end
    .balign 16
sample_begin:
    .incbin SAMPLE
sample_end:
    .section .note.GNU-stack, "", @progbits
