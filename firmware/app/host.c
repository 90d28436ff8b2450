/* host.c -- the port on a PC: standard input and output. */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>

void port_init(void) {
}

int port_read(void *data, uint32_t n) {
    return fread(data, 1, n, stdin) == n ? 0 : -1;
}

int port_write(const void *data, uint32_t n) {
    return fwrite(data, 1, n, stdout) == n ? 0 : -1;
}

void port_stack_mark(void) {
}

uint32_t port_stack_used(uintptr_t sp) {
    (void)sp;
    return 0;
}

void port_exit(int code) {
    exit(fflush(stdout) == 0 ? code : 1);
}
