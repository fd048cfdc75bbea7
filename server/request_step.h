/* request_step: from received bytes to answered requests. */
#ifndef GYRE_SERVER_REQUEST_STEP_H
#define GYRE_SERVER_REQUEST_STEP_H

#include <stdbool.h>

struct worker;
struct connection;

/* Takes the next step of an OPEN connection's current request. Returns whether another may follow
 * at once. */
bool request_step(struct worker *worker, struct connection *connection);

/* Answers with an error and ends the connection: framing is in doubt, or patience is over. Nothing
 * that follows is read as a request. There is room: connection_make_room(). */
void request_reject(struct worker *worker, struct connection *connection, unsigned status);

#endif
