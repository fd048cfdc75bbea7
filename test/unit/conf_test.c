/* conf_parse(): lines, sections and keys; what is read, and what is refused with its line. */
#include "conf_assert.h"

static void an_empty_text_gives_the_defaults(void **state)
{
    struct conf *conf = *state;
    struct conf *defaults = conf_assert_defaults();
    conf_assert_parses("", conf);
    assert_true(conf_same(conf, defaults));
    free(defaults);
}

static void the_defaults_are_the_documented_ones(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    assert_int_equal(conf->listen_count, 0);
    assert_string_equal(conf->root, ".");
    assert_int_equal(conf->workers, 0);
    assert_int_equal(conf->connections_max, 10240);
    assert_int_equal(conf->backlog, 4096);
    assert_int_equal(conf->head_timeout_ms, 10000);
    assert_int_equal(conf->body_timeout_ms, 30000);
    assert_int_equal(conf->keepalive_timeout_ms, 60000);
    assert_int_equal(conf->send_timeout_ms, 60000);
    assert_int_equal(conf->linger_timeout_ms, 5000);
    assert_int_equal(conf->shutdown_timeout_ms, 30000);
    assert_int_equal(conf->body_max_bytes, 1 << 20);
    assert_int_equal(conf->requests_per_connection_max, 0);
    assert_int_equal(conf->index_count, 1);
    assert_string_equal(conf->index[0], "index.html");
    assert_int_equal(conf->dotfiles, CONF_DOTFILES_DENY);
    assert_int_equal(conf->symlinks, CONF_SYMLINKS_WITHIN);
    assert_int_equal(conf->magic, CONF_ON);
    assert_int_equal(conf->mime_types, CONF_ON);
}

static void the_defaults_of_cache_ring_and_log_are_the_documented_ones(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    assert_int_equal(conf->cache, CONF_ON);
    assert_int_equal(conf->cache_bytes_max, 64 << 20);
    assert_int_equal(conf->cache_entries_max, 8192);
    assert_int_equal(conf->cache_file_bytes_max, 64 << 10);
    assert_int_equal(conf->cache_watch, CONF_ON);
    assert_int_equal(conf->cache_revalidate_ms, 1000);
    assert_int_equal(conf->ring_entries, 1024);
    assert_int_equal(conf->recv_buffers, 1024);
    assert_int_equal(conf->recv_buffer_bytes, 4096);
    assert_int_equal(conf->chunk_bytes, 512 << 10);
    assert_int_equal(conf->chunks_max, 128);
    assert_int_equal(conf->zerocopy, CONF_AUTO);
    assert_int_equal(conf->zerocopy_bytes_min, 128 << 10);
    assert_int_equal(conf->sqpoll, CONF_OFF);
    assert_int_equal(conf->sqpoll_cpu, UINT32_MAX);
    assert_string_equal(conf->access_log, "off");
    assert_int_equal(conf->types_count, 0);
    assert_int_equal(conf->error_pages_count, 0);
}

static void the_defaults_of_compress_and_of_rules_are_the_documented_ones(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    assert_int_equal(conf->dev, CONF_OFF);
    assert_int_equal(conf->engine, CONF_ENGINE_AUTO);
    assert_int_equal(conf->etag, CONF_ETAG_STAT);
    assert_int_equal(conf->precompressed, CONF_ON);
    assert_int_equal(conf->compress, CONF_ON);
    assert_int_equal(conf->compress_bytes_min, 1024);
    assert_int_equal(conf->compress_bytes_max, 8 << 20);
    assert_int_equal(conf->compress_threads, 2);
    assert_int_equal(conf->files.host, CONF_HOST_ALL);
    assert_int_equal(conf->files.deny, CONF_DENY_OFF);
    assert_int_equal(conf->files.listing, CONF_OFF);
    assert_int_equal(conf->files.archive, CONF_OFF);
    assert_string_equal(conf_text(conf, conf->files.try), "off");
    assert_string_equal(conf_text(conf, conf->files.spa), "off");
    assert_string_equal(conf_text(conf, conf->files.cors), "off");
    assert_string_equal(conf_text(conf, conf->files.cache), "auto");
    assert_int_equal(conf->files.redirect, 0);
    assert_int_equal(conf->files.auth, 0);
    assert_int_equal(conf->files.headers, 0);
    assert_int_equal(conf->hosts_count, 0);
    assert_int_equal(conf->mounts_count, 0);
    assert_int_equal(conf->rules_count, 0);
    assert_string_equal(conf_text(conf, 0), "");
}

static void a_colon_separates_as_an_equals_sign_does(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nworkers : 3\n", conf);
    assert_int_equal(conf->workers, 3);
}

static void an_indented_key_is_a_key_and_not_more_of_the_value_above(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("  [server]\n  root = /srv\n\tworkers = 3\n", conf);
    assert_string_equal(conf->root, "/srv");
    assert_int_equal(conf->workers, 3);
}

static void an_indented_line_without_a_key_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nlisten = :80\n  :81\n", 3, ":81", "expected KEY = VALUE");
}

static void carriage_returns_and_a_byte_order_mark_do_not_count(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("\xef\xbb\xbf[server]\r\nroot = /srv\r\n", conf);
    assert_string_equal(conf->root, "/srv");
}

static void a_last_line_without_a_line_feed_counts(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nworkers = 7", conf);
    assert_int_equal(conf->workers, 7);
}

static void a_comment_begins_behind_a_blank(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("; one\n # two\n[server] ; three\nworkers = 3 # four\nroot = /a ;five\n",
                       conf);
    assert_int_equal(conf->workers, 3);
    assert_string_equal(conf->root, "/a");
}

static void comment_characters_within_a_word_belong_to_the_value(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = C:\\sites;a#b=c:d\n", conf);
    assert_string_equal(conf->root, "C:\\sites;a#b=c:d");
}

static void quotes_keep_blanks_and_comment_characters(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = \" /a ; b # c\t\" ; comment\n", conf);
    assert_string_equal(conf->root, " /a ; b # c\t");
}

static void two_quotes_within_quotes_are_one(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = \"a \"\"b\"\"\"\n", conf);
    assert_string_equal(conf->root, "a \"b\"");
}

static void a_quote_inside_a_bare_value_is_kept(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = a\"b\n", conf);
    assert_string_equal(conf->root, "a\"b");
}

static void quotes_that_do_not_close_are_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nroot = \"a\n", 2, "\"a", "closing quote");
}

static void text_behind_a_closing_quote_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nroot = \"a\" b\n", 2, "\"a\" b", "closing quote");
}

/* inih itself would drop what is past its 198th byte. Byte i of the path depends on i. */
static void a_value_longer_than_a_line_of_inih_arrives_whole(void **state)
{
    struct conf *conf = *state;
    static const char bytes[] = "abcdefg ;#=:[]hijklmnop/";
    char path[CONF_PATH_SIZE_MAX + 1];
    for (size_t size = 150; size <= CONF_PATH_SIZE_MAX; size += size < 450 ? 1 : 405) {
        for (size_t i = 0; i < size; i++) {
            path[i] = bytes[(i * 7 + i / 24) % (sizeof(bytes) - 1)];
        }
        path[size] = '\0';
        char text[CONF_PATH_SIZE_MAX + 64];
        snprintf(text, sizeof(text), "[server]\nroot = \"%s\"\nworkers = 9\n", path);
        conf_assert_parses(text, conf);
        assert_string_equal(conf->root, path);
        assert_int_equal(conf->workers, 9);
    }
}

static void a_line_past_the_limit_is_refused_and_not_cut(void **state)
{
    (void)state;
    char text[CONF_LINE_SIZE_MAX + 64];
    memset(text, 'a', sizeof(text));
    memcpy(text, "[log]\n", 6);
    memcpy(text + 6 + CONF_LINE_SIZE_MAX + 1, "\n", 2);
    conf_assert_refuses(text, 2, "8257 bytes", "expected at most 8256");
}

static void a_nul_is_refused_and_ends_nothing(void **state)
{
    (void)state;
    static const char text[] = "[server]\nroot = /a\0b\nworkers = 3\n";
    conf_assert_refuses_bytes(text, sizeof(text) - 1, 2, "control byte 0x00", "expected text");
}

static void a_control_byte_in_a_value_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nroot = a\x01z\n", 2, "control byte 0x01", "expected text");
}

static void bytes_past_ascii_are_kept(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = /\xc3\xa9\xff\n", conf);
    assert_string_equal(conf->root, "/\xc3\xa9\xff");
}

static void a_key_before_any_section_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("\nroot = /srv\n", 2, "'root' before any section", "[SECTION]");
}

static void an_unknown_section_is_refused_once_and_its_keys_skipped(void **state)
{
    (void)state;
    conf_assert_refuses("[severs]\nroot = a\nworkers = x\n", 1, "[severs]", "[server]");
}

static void text_behind_a_section_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server] root = a\n", 1, "[server] root", "alone on its line");
}

static void an_unknown_key_is_refused_with_the_known_ones(void **state)
{
    (void)state;
    conf_assert_refuses("[log]\nacces = off\n", 2, "'acces' in [log]", "expected one of access");
}

static void a_key_in_the_wrong_section_is_refused_with_the_right_one(void **state)
{
    (void)state;
    conf_assert_refuses("[cache]\nworkers = 2\n", 2, "'workers' in [cache]", "in [server]");
}

static void a_key_too_long_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[log]\naccess_access_access_access_access_access_access_access = off\n", 2,
                        "55 bytes", "expected at most 48");
}

static void a_line_without_a_key_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[log]\n = off\n", 2, "= off", "expected KEY = VALUE");
}

static void a_key_given_twice_is_refused_with_its_first_line(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nroot = a\n[log]\n[server]\nroot = a\n", 5, "'root' given twice",
                        "line 2");
}

static void a_section_may_be_taken_up_again(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nroot = a\n[log]\naccess = l\n[server]\nworkers = 2\n", conf);
    assert_string_equal(conf->root, "a");
    assert_int_equal(conf->workers, 2);
}

static void listen_may_be_repeated(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nlisten = :80\nlisten = unix:/run/a b.sock\n", conf);
    assert_int_equal(conf->listen_count, 2);
    assert_string_equal(conf->listen[0].address, ":80");
    assert_string_equal(conf->listen[1].address, "unix:/run/a b.sock");
}

static void the_same_address_twice_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nlisten = :80\nlisten = :80\n", 3, ":80", "address once");
}

static void port_zero_may_be_listened_on_twice(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nlisten = :0\nlisten = :0\n", conf);
    assert_int_equal(conf->listen_count, 2);
}

static void every_error_is_reported_in_the_order_of_its_line(void **state)
{
    struct conf *conf = *state;
    static const char text[] =
        "[cache]\nbytes_max = 64K\nfile_bytes_max = 1M\n[server]\nworkers = x\n"
        "nonsense\n";
    struct conf_errors errors;
    conf_init(conf);
    assert_false(conf_parse(text, sizeof(text) - 1, conf, &errors));
    assert_int_equal(errors.count, 3);
    assert_int_equal(errors.kept, 3);
    assert_int_equal(errors.errors[0].line, 3);
    assert_int_equal(errors.errors[1].line, 5);
    assert_int_equal(errors.errors[2].line, 6);
}

static void errors_past_the_limit_are_counted(void **state)
{
    struct conf *conf = *state;
    char text[2 * (CONF_ERRORS_MAX + 10)];
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "x\n", 2);
    }
    struct conf_errors errors;
    conf_init(conf);
    assert_false(conf_parse(text, sizeof(text), conf, &errors));
    assert_int_equal(errors.count, CONF_ERRORS_MAX + 10);
    assert_int_equal(errors.kept, CONF_ERRORS_MAX);
    assert_int_equal(errors.errors[CONF_ERRORS_MAX - 1].line, CONF_ERRORS_MAX);
}

static void a_text_past_the_limit_is_refused(void **state)
{
    (void)state;
    size_t size = CONF_TEXT_SIZE_MAX + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    conf_assert_refuses_bytes(text, size, 1, "more than 1048576 bytes", "expected less");
    free(text);
}

static void a_file_larger_than_the_cache_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[cache]\nfile_bytes_max = 1M\nbytes_max = 512K\n", 3,
                        "file_bytes_max = 1M with bytes_max = 512K", "expected");
}

static void a_floor_above_its_ceiling_is_refused(void **state)
{
    struct conf *conf = *state;
    conf_assert_refuses("[compress]\nbytes_max = 2K\nbytes_min = 2049\n", 3,
                        "bytes_min = 2049 with bytes_max = 2K", "expected");
    conf_assert_refuses("[compress]\nbytes_min = 1G\n", 2, "bytes_min = 1G with bytes_max = 8M",
                        "expected");
    conf_assert_parses("[compress]\nbytes_max = 2K\nbytes_min = 2048\n", conf);
}

static void a_cpu_for_a_poller_that_is_off_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[ring]\nsqpoll_cpu = 2\n", 2, "sqpoll_cpu = 2 with sqpoll = off",
                        "sqpoll = on");
}

static void a_wrong_value_is_not_blamed_for_a_relation_too(void **state)
{
    (void)state;
    conf_assert_refuses("[cache]\nfile_bytes_max = 16M\nbytes_max = small\n", 3, "small",
                        "expected a size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_gives_the_defaults),
        cmocka_unit_test(the_defaults_are_the_documented_ones),
        cmocka_unit_test(the_defaults_of_cache_ring_and_log_are_the_documented_ones),
        cmocka_unit_test(the_defaults_of_compress_and_of_rules_are_the_documented_ones),
        cmocka_unit_test(a_colon_separates_as_an_equals_sign_does),
        cmocka_unit_test(an_indented_key_is_a_key_and_not_more_of_the_value_above),
        cmocka_unit_test(an_indented_line_without_a_key_is_refused),
        cmocka_unit_test(carriage_returns_and_a_byte_order_mark_do_not_count),
        cmocka_unit_test(a_last_line_without_a_line_feed_counts),
        cmocka_unit_test(a_comment_begins_behind_a_blank),
        cmocka_unit_test(comment_characters_within_a_word_belong_to_the_value),
        cmocka_unit_test(quotes_keep_blanks_and_comment_characters),
        cmocka_unit_test(two_quotes_within_quotes_are_one),
        cmocka_unit_test(a_quote_inside_a_bare_value_is_kept),
        cmocka_unit_test(quotes_that_do_not_close_are_refused),
        cmocka_unit_test(text_behind_a_closing_quote_is_refused),
        cmocka_unit_test(a_value_longer_than_a_line_of_inih_arrives_whole),
        cmocka_unit_test(a_line_past_the_limit_is_refused_and_not_cut),
        cmocka_unit_test(a_nul_is_refused_and_ends_nothing),
        cmocka_unit_test(a_control_byte_in_a_value_is_refused),
        cmocka_unit_test(bytes_past_ascii_are_kept),
        cmocka_unit_test(a_key_before_any_section_is_refused),
        cmocka_unit_test(an_unknown_section_is_refused_once_and_its_keys_skipped),
        cmocka_unit_test(text_behind_a_section_is_refused),
        cmocka_unit_test(an_unknown_key_is_refused_with_the_known_ones),
        cmocka_unit_test(a_key_in_the_wrong_section_is_refused_with_the_right_one),
        cmocka_unit_test(a_key_too_long_is_refused),
        cmocka_unit_test(a_line_without_a_key_is_refused),
        cmocka_unit_test(a_key_given_twice_is_refused_with_its_first_line),
        cmocka_unit_test(a_section_may_be_taken_up_again),
        cmocka_unit_test(listen_may_be_repeated),
        cmocka_unit_test(the_same_address_twice_is_refused),
        cmocka_unit_test(port_zero_may_be_listened_on_twice),
        cmocka_unit_test(every_error_is_reported_in_the_order_of_its_line),
        cmocka_unit_test(errors_past_the_limit_are_counted),
        cmocka_unit_test(a_text_past_the_limit_is_refused),
        cmocka_unit_test(a_file_larger_than_the_cache_is_refused),
        cmocka_unit_test(a_floor_above_its_ceiling_is_refused),
        cmocka_unit_test(a_cpu_for_a_poller_that_is_off_is_refused),
        cmocka_unit_test(a_wrong_value_is_not_blamed_for_a_relation_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf", tests, conf_set_up, conf_tear_down) == 0 ? 0 : 1;
}
