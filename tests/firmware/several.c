/* several.c -- two models and three instances in one program, with one runtime.
 *
 * Floats come in as pairs of samples, of motor and of door; a line for each result goes out. The
 * third instance sees the motor's samples too, by other rules and two steps later.
 */
#include "door.h"
#include "door/golden.h"
#include "motor.h"
#include "motor/golden.h"

#include <stdio.h>
#include <string.h>

static motor_memory first_ram, late_ram;
static door_memory door_ram;
static rnnedge_instance first, late, door_sensor;

static void show(char which, const rnnedge_instance *instance) {
    char name[32];
    rnnedge_class_name(instance->model, instance->result.label, name, sizeof name);
    printf("%c %s %d %d", which, name, instance->result.best, instance->result.probability);
    printf(" %ld\n", (long)instance->scores[0]);
}

int main(void) {
    const rnnedge_rules rules = {.every = 3, .reject = RNNEDGE_Q15(0.4), .majority = 3};
    float a[MOTOR_INPUTS], b[DOOR_INPUTS], before[2][MOTOR_INPUTS] = {{0}};
    int bad = rnnedge_init(&first, &motor, RNNEDGE_MEMORY(first_ram));
    bad |= rnnedge_init(&late, &motor, RNNEDGE_MEMORY(late_ram));
    bad |= rnnedge_init(&door_sensor, &door, RNNEDGE_MEMORY(door_ram));
    bad |= rnnedge_selftest(&first, &motor_golden) | rnnedge_selftest(&door_sensor, &door_golden);
    // each other's golden windows are no test
    bad |= rnnedge_selftest(&first, &door_golden) != RNNEDGE_ERR_MISMATCH;
    bad |= rnnedge_set_rules(&late, &rules);
    bad |= strcmp(MOTOR_NAME DOOR_NAME, "motordoor");
    for (long t = 0; bad == 0 && fread(a, sizeof a, 1, stdin) == 1; t++) {
        if (fread(b, sizeof b, 1, stdin) != 1) {
            return 2;
        }
        if (rnnedge_step(&first, a) == RNNEDGE_READY) {
            show('f', &first);
        }
        if (rnnedge_step(&door_sensor, b) == RNNEDGE_READY) {
            show('d', &door_sensor);
        }
        if (t >= 2 && rnnedge_step(&late, before[t % 2]) == RNNEDGE_READY) {
            show('l', &late);
        }
        memcpy(before[t % 2], a, sizeof a);
    }
    return bad != 0;
}
