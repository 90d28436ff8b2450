/* host.c -- the port on a PC: standard input and output, the processor time of the process. */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void port_init(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); // an answer of serial.c ends a line
}

void port_read(void *data, size_t n) {
    if (fread(data, 1, n, stdin) != n) {
        port_exit(1);
    }
}

void port_write(const void *data, size_t n) {
    if (fwrite(data, 1, n, stdout) != n) {
        port_exit(1);
    }
}

uint32_t port_cycles_hz(void) {
    return (uint32_t)CLOCKS_PER_SEC;
}

uint32_t port_cycles(void) {
    return (uint32_t)clock();
}

void port_stack_mark(void) {
}

size_t port_stack_used(uintptr_t sp) {
    (void)sp;
    return 0;
}

void port_exit(int code) {
    exit(fflush(stdout) == 0 ? code : 1);
}
