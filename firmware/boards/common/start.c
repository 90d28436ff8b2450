/* start.c -- from reset to main: initialised data to RAM, the rest of it to zero. */
#include "start.h"
#include "port.h"

extern uint32_t _data[], _edata[], _data_load[], _bss[], _ebss[]; // from the linker script

int main(void);

void board_start(void) {
    // volatile: these loops must neither become calls of memcpy nor use vector registers
    const volatile uint32_t *load = _data_load;
    for (volatile uint32_t *word = _data; word != _edata; word++) {
        *word = *load++;
    }
    for (volatile uint32_t *word = _bss; word != _ebss; word++) {
        *word = 0;
    }
    port_exit(main());
}
