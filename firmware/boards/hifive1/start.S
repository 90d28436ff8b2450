/* start.S -- FE310: where the boot loader jumps to, trap handler, exit.
 *
 * port_exit tells its code to whom serves semihosting: an emulator or a debugger. Where nobody
 * does, EBREAK is a trap, and the program starts again from reset; the PC sees that its session is
 * gone. Any other trap is an exit with code 3.
 *
 * RISC-V Semihosting (semihosting-spec); RISC-V Privileged Architectures 1.10, chapter 3.1.
 */
    .option arch, +zicsr
    .section .start, "ax"
    .globl Reset_Handler
Reset_Handler:
    csrci mstatus, 8            // interrupts off
    la t0, trap
    csrw mtvec, t0
    la sp, _stack_top
    call board_start

    .balign 4
trap:
    csrr t0, mcause
    li t1, 3                    // breakpoint
    beq t0, t1, Reset_Handler
    la sp, _stack_top
    li a0, 3                    // crashed
    // falls through

    .globl port_exit
port_exit:
    addi sp, sp, -16
    li t0, 0x20026              // ADP_Stopped_ApplicationExit
    sw t0, 0(sp)
    sw a0, 4(sp)
    li a0, 0x20                 // SYS_EXIT_EXTENDED
    mv a1, sp
    // these three, uncompressed and on one page, are a call of semihosting
    .option push
    .option norvc
    .balign 16
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    j Reset_Handler
