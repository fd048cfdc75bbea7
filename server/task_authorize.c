/* task_authorize: credentials, known to be good or checked by a helper. Whatever held a password is
 * wiped. */
#include <errno.h>
#include <string.h>

#include "http/http_basic.h"
#include "server/notice.h"
#include "server/task.h"
#include "server/task_internal.h"
#include "server/worker.h"

/* False: none that a password file could hold. */
static bool read_credentials(struct slice authorization, struct auth_job *job)
{
    char buffer[HTTP_BASIC_SIZE_MAX];
    struct slice user;
    struct slice password;
    bool fits = http_basic_parse(authorization, buffer, &user, &password) &&
                user.size <= AUTH_USER_SIZE_MAX && password.size <= AUTH_PASSWORD_SIZE_MAX;
    if (fits) {
        memcpy(job->user, user.data, user.size);
        memcpy(job->password, password.data, password.size);
    }
    explicit_bzero(buffer, sizeof(buffer));
    return fits;
}

bool task_authorize(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const char *file = conf_text(worker->settings.conf, exchange->policy->auth);
    struct slice authorization = exchange->request.authorization;
    if (authorization.data == NULL) {
        exchange_conclude(worker, connection, 401);
        return false;
    }
    if (auth_cache_holds(&worker->auth, file, authorization, worker->now_ms)) {
        exchange_grant(exchange, exchange->policy->auth);
        return true;
    }
    exchange_drop_entry(worker, exchange); /* it may be another one when this is over */
    bool is_full = worker->passwords_checked_count == PASSWORDS_CHECKED_MAX;
    struct task *task = is_full ? NULL : task_create(exchange, TASK_AUTHORIZE);
    if (task == NULL) {
        task_give_up(worker, connection);
        return false;
    }
    struct auth_job *job = &task->job.auth;
    job->work.run = auth_run;
    job->file = file;
    if (!read_credentials(authorization, job)) {
        task_free(exchange);
        exchange_conclude(worker, connection, 401);
    } else if (task_start(worker, connection, &job->work)) {
        worker->passwords_checked_count++;
    } else {
        explicit_bzero(job->password, sizeof(job->password));
        task_give_up(worker, connection);
    }
    return false;
}

/* At most once a second: whoever guesses passwords must not fill the log. */
static void tell_auth_error(struct worker *worker, const char *file, int error)
{
    if (worker->auth_told_s != worker->now_s) {
        worker->auth_told_s = worker->now_s;
        notice("password file '%s': %s", file,
               error == -ENOTSUP   ? "a hash of a kind that is not taken: use bcrypt (htpasswd -B)"
               : error == -EBADMSG ? "a hash that cannot be read"
                                   : strerror(-error));
    }
}

void task_end_authorize(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct auth_job *job = &exchange->task->job.auth;
    bool granted = job->granted;
    int error = job->error;
    const char *file = job->file;
    worker->passwords_checked_count--;
    task_free(exchange);
    if (granted) {
        auth_cache_add(&worker->auth, file, exchange->request.authorization, worker->now_ms);
        exchange_grant(exchange, exchange->policy->auth);
        exchange_look_up(worker, connection);
        return;
    }
    if (error != 0) {
        tell_auth_error(worker, file, error);
    }
    bool is_refusal = error == 0 || error == -ENOTSUP || error == -EBADMSG;
    exchange_conclude(worker, connection, is_refusal ? 401 : 500);
}
