/* uno_runner.c -- an AVR with its boot loader in simavr, at the pace of the real chip.
 *
 *     uno_runner CHIP FLASH BOOT [fast]
 *
 * FLASH is a file with the whole flash, boot loader included; the chip's own writes go to it at
 * once. The chip starts at address BOOT, as if its reset line had been pulled. Standard input goes
 * to USART 0, what it sends to standard output. The end of standard input ends the process; a chip
 * that stops or crashes waits for that. `fast`: as fast as it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>

#define CLOCK_HZ 16000000u
#define MCUSR 0x54  // data address, as on every AVR that Optiboot runs on
#define EXTRF 2     // reset by the reset line
#define SLICE 1600u // cycles between two looks at the clock and at standard input
#define NS_PER_SLICE (1000000000 / (CLOCK_HZ / SLICE))

static bool xon;
static bool ended; // standard input

static struct {
    uint8_t bytes[512];
    size_t begin, end;
} input, output;

static void flush(void) {
    while (output.begin < output.end) {
        const ssize_t n =
            write(STDOUT_FILENO, output.bytes + output.begin, output.end - output.begin);
        if (n < 0 && errno != EINTR) {
            exit(0); // nobody listens any more
        }
        output.begin += n > 0 ? (size_t)n : 0;
    }
    output.begin = output.end = 0;
}

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    output.bytes[output.end++] = (uint8_t)value;
    if (output.end == sizeof output.bytes) {
        flush();
    }
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)value, (void)param;
    xon = true;
}

static void on_xoff(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    if (value != 0) {
        xon = false;
    }
}

// simavr's messages are for its own users.
static void quiet(struct avr_t *avr, const int level, const char *format, va_list arguments) {
    (void)avr, (void)level, (void)format, (void)arguments;
}

// Time passes in pace(), also for a chip that sleeps.
static void no_sleep(struct avr_t *avr, avr_cycle_count_t how_long) {
    (void)avr, (void)how_long;
}

// Wait for standard input at most `timeout` ms (-1: for ever) and take what is there.
static void receive(int timeout) {
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (input.begin < input.end || poll(&ready, 1, timeout) <= 0) {
        return;
    }
    const ssize_t n = read(STDIN_FILENO, input.bytes, sizeof input.bytes);
    ended = n == 0 || (n < 0 && errno != EINTR);
    input.begin = 0;
    input.end = n > 0 ? (size_t)n : 0;
}

// Let no slice take less time than on the chip; one that took more is not made up for.
static void pace(void) {
    static struct timespec due;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > due.tv_sec || (now.tv_sec == due.tv_sec && now.tv_nsec >= due.tv_nsec)) {
        due = now;
    } else {
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    due.tv_nsec += NS_PER_SLICE;
    if (due.tv_nsec >= 1000000000) {
        due.tv_nsec -= 1000000000;
        due.tv_sec++;
    }
}

static avr_t *make(const char *chip, const char *path, uint32_t boot) {
    avr_t *avr = avr_make_mcu_by_name(chip);
    const int file = open(path, O_RDWR);
    struct stat about;
    if (avr == NULL || file < 0 || fstat(file, &about) != 0) {
        fprintf(stderr, "simavr: %s is not readable, or %s is not known\n", path, chip);
        exit(2);
    }
    avr_init(avr);
    const size_t size = avr->flashend + 1u;
    void *flash = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (flash == MAP_FAILED || (size_t)about.st_size != size) {
        fprintf(stderr, "simavr: %s is not a flash of %zu bytes\n", path, size);
        exit(2);
    }
    avr->flash = (uint8_t *)flash;
    avr->codeend = avr->flashend;
    avr->reset_pc = boot;
    avr->frequency = CLOCK_HZ;
    avr->log = LOG_NONE;
    avr->sleep = no_sleep;
    avr_reset(avr);
    avr->data[MCUSR] |= EXTRF;

    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    avr_irq_register_notify(uart + UART_IRQ_OUTPUT, on_output, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XON, on_xon, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XOFF, on_xoff, NULL);
    return avr;
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) {
        fputs("uno_runner CHIP FLASH BOOT [fast]\n", stderr);
        return 2;
    }
    const bool fast = argc == 5;
    avr_global_logger_set(quiet);
    avr_t *avr = make(argv[1], argv[2], (uint32_t)strtoul(argv[3], NULL, 0));
    avr_irq_t *uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_cycle_count_t slice = 0;
    int state = cpu_Running;
    while (state != cpu_Done && state != cpu_Crashed && !ended) {
        state = avr_run(avr);
        if (avr->cycle - slice >= SLICE) {
            slice = avr->cycle;
            flush();
            receive(0);
            if (!fast) {
                pace();
            }
        }
        while (xon && input.begin < input.end) {
            avr_raise_irq(uart, input.bytes[input.begin++]);
        }
    }
    flush();
    while (!ended) {
        input.begin = input.end;
        receive(-1);
    }
    return 0;
}
