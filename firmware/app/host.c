/* host.c -- the port on a PC: standard input and output. */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>

void port_init(void) {
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

void port_stack_mark(void) {
}

size_t port_stack_used(uintptr_t sp) {
    (void)sp;
    return 0;
}

void port_exit(int code) {
    exit(fflush(stdout) == 0 ? code : 1);
}
