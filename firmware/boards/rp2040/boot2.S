/* boot2.S -- RP2040: second stage of booting, in the first 256 bytes of flash.
 *
 * The boot ROM copies it to RAM, compares its checksum and jumps to it. It has the flash read with
 * the command 03h, which every flash chip knows, at a quarter of the system clock (31 MHz at 125),
 * and goes on through the vector table behind it.
 *
 * RP2040 Datasheet: 2.8.1 boot sequence and checksum (CRC-32, polynomial 0x04C11DB7, from all ones,
 * nothing reflected or inverted), 4.10 SSI, 2.4 Cortex-M0+ registers.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot2, "ax"
    .globl boot2
    .thumb_func
boot2:
    ldr r0, ssi
    movs r1, #0
    str r1, [r0, #0x08]         // SSIENR: off, to be set up
    str r1, [r0, #0x04]         // CTRLR1: a read is one frame
    movs r1, #4
    str r1, [r0, #0x14]         // BAUDR: divide by 4
    ldr r1, ctrlr0
    str r1, [r0, #0x00]
    ldr r1, spi_ctrlr0
    movs r2, #0xF4
    str r1, [r0, r2]
    movs r1, #1
    str r1, [r0, #0x08]         // on
    ldr r0, vectors
    ldr r1, vtor
    str r0, [r1]
    ldr r1, [r0, #0]
    mov sp, r1
    ldr r1, [r0, #4]
    bx r1

    .balign 4
ssi:        .word 0x18000000
ctrlr0:     .word 31 << 16 | 3 << 8             // frames of 32 bits; send, then receive
spi_ctrlr0: .word 0x03 << 24 | 2 << 8 | 6 << 2  // 03h, 8 bits of command, 24 of address, all serial
vectors:    .word 0x10000100
vtor:       .word 0xE000ED08
    .org 252
    .word 0x90B03BAB            // checksum of what is before it
