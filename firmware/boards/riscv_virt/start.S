/* start.S -- RV32: where QEMU's virt board starts without a BIOS, and its trap handler. */
    .option arch, +zicsr
    .section .start, "ax"
    .globl Reset_Handler
Reset_Handler:
    la sp, _stack_top
    la t0, trap
    csrw mtvec, t0
    call board_start

    .balign 4
trap:
    li a0, 3
    call port_exit
