/* Any text: conf_parse() says yes, or names lines that exist, in order; what it accepted,
 * conf_print() writes so that it reads back to the same configuration. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "test/fuzz/fuzz.h"

static uint32_t lines_count(const char *text, size_t size)
{
    uint32_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' || i == size - 1) {
            count++;
        }
    }
    return count;
}

static void errors_check(const struct conf_errors *errors, uint32_t lines)
{
    uint32_t kept = errors->count < CONF_ERRORS_MAX ? errors->count : CONF_ERRORS_MAX;
    assert(errors->kept == kept);
    for (uint32_t i = 0; i < errors->kept; i++) {
        const char *text = errors->errors[i].text;
        assert(errors->errors[i].line >= 1);
        assert(errors->errors[i].line <= lines);
        assert(i == 0 || errors->errors[i - 1].line <= errors->errors[i].line);
        assert(memchr(text, '\0', sizeof(errors->errors[i].text)) != NULL);
        assert(strstr(text, "expected") != NULL || strlen(text) == CONF_ERROR_SIZE_MAX);
    }
}

static void listens_check(const struct conf *conf)
{
    assert(conf->listen_count <= CONF_LISTEN_MAX);
    for (uint32_t i = 0; i < conf->listen_count; i++) {
        struct conf_endpoint endpoint;
        assert(conf_listen_parse(conf->listen[i].address, &endpoint) == NULL);
        assert(strlen(endpoint.host) > 0);
    }
}

static void round_trip_check(const struct conf *conf)
{
    size_t size = conf_print(conf, NULL, 0);
    char *text = malloc(size + 1);
    assert(text != NULL);
    size_t again_size = conf_print(conf, text, size + 1);
    assert(again_size == size);
    assert(strlen(text) == size);
    struct conf again;
    struct conf_errors errors;
    conf_init(&again);
    bool is_read = conf_parse(text, size, &again, &errors);
    assert(is_read);
    assert(memcmp(&again, conf, sizeof(again)) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct conf conf;
    struct conf_errors errors;
    conf_init(&conf);
    bool is_read = conf_parse(text, size, &conf, &errors);
    assert(is_read == (errors.count == 0));
    errors_check(&errors, lines_count(text, size));
    if (is_read) {
        listens_check(&conf);
        round_trip_check(&conf);
    }
    return 0;
}
