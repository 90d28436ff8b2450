/* start.h -- what a core's reset calls. */
#ifndef RNNEDGE_START_H
#define RNNEDGE_START_H

// Set up memory, run main and exit with its code.
__attribute__((noreturn)) void board_start(void);

#endif /* RNNEDGE_START_H */
