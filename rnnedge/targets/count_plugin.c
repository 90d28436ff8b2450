/* count_plugin.c -- a QEMU TCG plugin that counts instructions between two marker functions.
 *
 * Arguments: begin=ADDRESS,end=ADDRESS,steps=FILE,addresses=FILE. Every executed instruction after
 * the marker at begin has run and before the one at end runs is counted. At exit the first file
 * gets one line for each distinct count, "count times"; the second one for each instruction that
 * was counted, "address count" (an address may come twice). The declarations are those of QEMU's
 * documented plugin interface (docs/devel/tcg-plugins in QEMU), written out because distributions
 * ship no header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_callback)(plugin_id, struct qemu_plugin_tb *);
typedef void (*insn_callback)(unsigned int, void *);
typedef void (*exit_callback)(plugin_id, void *);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, tb_callback);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, insn_callback, int, void *);
void qemu_plugin_register_atexit_cb(plugin_id, exit_callback, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
#define MAX_COUNTS 4096

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

// One instruction as QEMU has translated it; it may translate an address again.
typedef struct instruction {
    uint64_t address, count;
    struct instruction *next;
} instruction;

static uint64_t begin, end, count;
static bool counting;
static char *steps_path, *addresses_path;
static instruction *instructions;
static struct {
    uint64_t count, times;
} counts[MAX_COUNTS];
static size_t n_counts;

static void on_begin(unsigned int cpu, void *data) {
    (void)cpu, (void)data;
    count = 0;
    counting = true;
}

static void on_end(unsigned int cpu, void *data) {
    (void)cpu, (void)data;
    counting = false;
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

static void on_other(unsigned int cpu, void *data) {
    (void)cpu;
    count += counting;
    ((instruction *)data)->count += counting;
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        insn_callback callback = address == begin ? on_begin : address == end ? on_end : on_other;
        instruction *known = calloc(1, sizeof *known);
        if (known == NULL) {
            abort();
        }
        known->address = address;
        known->next = instructions;
        instructions = known;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, callback, 0, known);
    }
}

static void on_exit_write(plugin_id id, void *data) {
    (void)id, (void)data;
    FILE *file = fopen(steps_path, "w");
    if (file == NULL) {
        return;
    }
    for (size_t i = 0; i < n_counts; i++) {
        fprintf(file, "%" PRIu64 " %" PRIu64 "\n", counts[i].count, counts[i].times);
    }
    fclose(file);
    file = fopen(addresses_path, "w");
    if (file == NULL) {
        return;
    }
    for (const instruction *known = instructions; known != NULL; known = known->next) {
        if (known->count > 0) {
            fprintf(file, "%" PRIu64 " %" PRIu64 "\n", known->address, known->count);
        }
    }
    fclose(file);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL) {
            return 1;
        }
        value++;
        if (strncmp(argv[i], "begin=", 6) == 0) {
            begin = strtoull(value, NULL, 0);
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end = strtoull(value, NULL, 0);
        } else if (strncmp(argv[i], "steps=", 6) == 0) {
            steps_path = strdup(value);
        } else if (strncmp(argv[i], "addresses=", 10) == 0) {
            addresses_path = strdup(value);
        }
    }
    if (steps_path == NULL || addresses_path == NULL || begin == end) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
    return 0;
}
