/* port.h -- what a board or the host gives the applications in this folder. */
#ifndef RNNEDGE_PORT_H
#define RNNEDGE_PORT_H

#include <stdint.h>

// Bring up clock and serial line.
void port_init(void);

// Read or write exactly n bytes; return 0, or -1 at the end of the stream.
int port_read(void *data, uint32_t n);
int port_write(const void *data, uint32_t n);

// Largest stack use in bytes since port_init, or 0 where it is not measured.
uint32_t port_stack_used(void);

// Flush and stop; code is the exit code of the process or emulator.
void port_exit(int code);

#endif /* RNNEDGE_PORT_H */
