/* report: SIGUSR2: one line a connection on standard error, written through the ring. */
#ifndef GYRE_SERVER_REPORT_H
#define GYRE_SERVER_REPORT_H

struct worker;

/* Formats and starts writing, unless a report is being written. */
void report_start(struct worker *worker);

/* Stops writing to a standard error that takes nothing. */
void report_give_up(struct worker *worker);

/* A piece has been written: `result` bytes, or -errno. */
void report_continue(struct worker *worker, int result);

#endif
