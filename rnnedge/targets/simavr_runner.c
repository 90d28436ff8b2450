/* simavr_runner.c -- run a program on an AVR of simavr and count the cycles between two functions.
 *
 *     simavr_runner CHIP IMAGE [BEGIN END STEPS ADDRESSES]
 *
 * IMAGE is the contents of the flash. Standard input goes to USART 0, as fast as the program reads
 * it; what it sends goes to standard output. The program ends by sleeping with interrupts off; its
 * exit code is then in GPIOR0. Every cycle after the marker at address BEGIN has run and before the
 * one at END runs is counted: file STEPS gets one line for each distinct count, "count times", file
 * ADDRESSES one for each instruction, "address cycles".
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>

#define GPIOR0 0x3E // data address, the same on every AVR that has it
#define CRASHED 3   // exit code, as of the firmware's fault handlers
#define MAX_COUNTS 4096
#define MAX_FLASH (256u << 10)

static bool xon;

static struct {
    uint64_t count, times;
} counts[MAX_COUNTS];
static size_t n_counts;
static uint64_t cycles_at[MAX_FLASH / 2];

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    putchar((int)value);
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

// Never wait for real time.
static void no_sleep(struct avr_t *avr, avr_cycle_count_t how_long) {
    (void)avr, (void)how_long;
}

static void add_count(uint64_t count) {
    size_t i = 0;
    while (i < n_counts && counts[i].count != count) {
        i++;
    }
    if (i == MAX_COUNTS) {
        return;
    }
    if (i == n_counts) {
        counts[n_counts++].count = count;
    }
    counts[i].times++;
}

static int write_counts(const char *steps, const char *addresses) {
    FILE *file = fopen(steps, "w");
    if (file == NULL) {
        return -1;
    }
    for (size_t i = 0; i < n_counts; i++) {
        fprintf(file, "%" PRIu64 " %" PRIu64 "\n", counts[i].count, counts[i].times);
    }
    fclose(file);
    file = fopen(addresses, "w");
    if (file == NULL) {
        return -1;
    }
    for (size_t i = 0; i < MAX_FLASH / 2; i++) {
        if (cycles_at[i] > 0) {
            fprintf(file, "%zu %" PRIu64 "\n", 2 * i, cycles_at[i]);
        }
    }
    return fclose(file);
}

static avr_t *make(const char *chip, const char *image) {
    avr_t *avr = avr_make_mcu_by_name(chip);
    FILE *file = fopen(image, "rb");
    if (avr == NULL || file == NULL) {
        fprintf(stderr, "simavr: %s is not readable, or %s is not known\n", image, chip);
        exit(2);
    }
    avr_init(avr);
    avr->frequency = 16000000;
    avr->log = LOG_ERROR;
    avr->sleep = no_sleep;
    const size_t size = fread(avr->flash, 1, avr->flashend + 1u, file);
    fclose(file);
    avr->codeend = (uint32_t)size;

    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    avr_irq_register_notify(uart + UART_IRQ_OUTPUT, on_output, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XON, on_xon, NULL);
    avr_irq_register_notify(uart + UART_IRQ_OUT_XOFF, on_xoff, NULL);
    return avr;
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 7) {
        fputs("simavr_runner CHIP IMAGE [BEGIN END STEPS ADDRESSES]\n", stderr);
        return 2;
    }
    avr_global_logger_set(quiet);
    avr_t *avr = make(argv[1], argv[2]);
    avr_irq_t *input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    const uint32_t begin = argc == 7 ? (uint32_t)strtoul(argv[3], NULL, 0) : UINT32_MAX;
    const uint32_t end = argc == 7 ? (uint32_t)strtoul(argv[4], NULL, 0) : UINT32_MAX;
    uint64_t start = 0;
    bool counting = false;
    int state = cpu_Running;
    while (state != cpu_Done && state != cpu_Crashed) {
        const uint32_t pc = avr->pc;
        const uint64_t before = avr->cycle;
        if (pc == end && counting) {
            add_count(before - start);
            counting = false;
        }
        state = avr_run(avr);
        if (counting) {
            cycles_at[pc / 2] += avr->cycle - before;
        }
        if (pc == begin) {
            start = avr->cycle;
            counting = true;
        }
        while (xon) {
            const int byte = getchar();
            if (byte == EOF) {
                xon = false;
            } else {
                avr_raise_irq(input, (uint32_t)byte);
            }
        }
    }
    if (fflush(stdout) != 0 || (argc == 7 && write_counts(argv[5], argv[6]) != 0)) {
        return 2;
    }
    if (state == cpu_Crashed) {
        fprintf(stderr, "the program crashed at address 0x%04" PRIx32 "\n", (uint32_t)avr->pc);
        return CRASHED;
    }
    return avr->data[GPIOR0];
}
