/* answer_redirect: where a rule's redirect leads: its target, and in it what the wildcards of its
 * pattern matched. */
#include <string.h>

#include "http/http_redirect.h"
#include "server/answer.h"
#include "server/worker.h"

size_t answer_write_redirect(struct worker *worker, struct exchange *exchange)
{
    const struct conf *conf = worker->settings.conf;
    const struct policy *policy = exchange->policy;
    struct slice path = exchange_path(exchange);
    bool is_top = exchange->target.path_size == 0;
    worker->path[0] = '/';
    memcpy(worker->path + 1, path.data, path.size);
    path = slice_of(worker->path, 1 + path.size - is_top);

    struct http_glob_captures captures = { 0 };
    if (policy->redirect_pattern != 0) {
        bool matches =
            http_glob_match(policy_text(conf, policy->redirect_pattern), path, &captures);
        assert(matches); /* so the rule was found */
    }
    /* Stored as "STATUS TARGET", the status three digits. */
    struct slice text = policy_text(conf, policy->redirect);
    assert(text.size > 4);
    struct slice target = slice_of(text.data + 4, text.size - 4);
    return http_redirect_write(target, &captures, path, exchange->request.query, worker->location,
                               sizeof(worker->location));
}
