/* sim_coding: answers in a content coding, and the tags of all answers. A body in a coding is
 * either a version of the precompressed sibling, byte by byte, or decodes to a version of the file;
 * and its tag is the one of that version in that coding, as http_etag_write() says, which has tests
 * of its own. So equal tags have equal bytes. */
#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "http/http_etag.h"
#include "server/compress.h"
#include "server/digest.h"
#include "sim_check.h"

enum {
    DECODED_SIZE_MAX = 2 * 1024 * 1024,
    IDENTITY = 1U << HTTP_CODING_IDENTITY,
    BR = 1U << HTTP_CODING_BR,
    ZSTD = 1U << HTTP_CODING_ZSTD,
    GZIP = 1U << HTTP_CODING_GZIP,
};

bool sim_takes_coding(enum sim_takes takes, enum http_coding coding)
{
    static const uint8_t MASKS[SIM_TAKES_COUNT] = {
        [SIM_TAKES_UNSAID] = IDENTITY,
        [SIM_TAKES_GZIP] = IDENTITY | GZIP,
        [SIM_TAKES_BR] = IDENTITY | BR,
        [SIM_TAKES_ZSTD] = IDENTITY | ZSTD,
        [SIM_TAKES_ALL] = IDENTITY | GZIP | BR | ZSTD,
        [SIM_TAKES_ANY] = IDENTITY | GZIP | BR | ZSTD,
        [SIM_TAKES_IDENTITY] = IDENTITY,
        [SIM_TAKES_ONLY_GZIP] = GZIP,
        [SIM_TAKES_ONLY_CODED] = GZIP | BR | ZSTD,
    };
    return (MASKS[takes] & 1U << coding) != 0;
}

const struct sim_node *sim_sibling(const struct sim *sim, const struct sim_node *node,
                                   enum http_coding coding)
{
    static const char *const SUFFIXES[HTTP_CODINGS_COUNT] = {
        [HTTP_CODING_BR] = ".br",
        [HTTP_CODING_ZSTD] = ".zst",
        [HTTP_CODING_GZIP] = ".gz",
    };
    return sim_files_sibling(&sim->files, node, SUFFIXES[coding]);
}

/* --- decoding --------------------------------------------------------------------------------- */

static size_t decode_gzip(const struct sim_response *response, char *data)
{
    z_stream stream = {
        .next_in = (Bytef *)(uintptr_t)response->body,
        .avail_in = (uInt)response->length,
        .next_out = (Bytef *)data,
        .avail_out = DECODED_SIZE_MAX,
    };
    sim_check(inflateInit2(&stream, 15 + 16) == Z_OK, "inflateInit2");
    int result = inflate(&stream, Z_FINISH);
    sim_check(result != Z_STREAM_END || stream.avail_in == 0, "bytes behind a gzip body");
    size_t size = result == Z_STREAM_END ? stream.total_out : SIZE_MAX;
    (void)inflateEnd(&stream);
    return size;
}

/* The decoded size, or SIZE_MAX for what is no such coding. */
static size_t decode(const struct sim_response *response, char *data)
{
    size_t size = DECODED_SIZE_MAX;
    switch (response->coding) {
    case HTTP_CODING_GZIP:
        return decode_gzip(response, data);
    case HTTP_CODING_BR:
        return BrotliDecoderDecompress(response->length, (const uint8_t *)response->body, &size,
                                       (uint8_t *)data) == BROTLI_DECODER_RESULT_SUCCESS
                   ? size
                   : SIZE_MAX;
    case HTTP_CODING_ZSTD:
        size = ZSTD_decompress(data, DECODED_SIZE_MAX, response->body, response->length);
        return ZSTD_isError(size) ? SIZE_MAX : size;
    case HTTP_CODING_IDENTITY:
    case HTTP_CODING_NONE:
        break;
    }
    return SIZE_MAX;
}

/* --- tags ------------------------------------------------------------------------------------- */

static struct slice opaque(struct slice tag)
{
    bool is_weak = tag.size > 2 && tag.data[0] == 'W';
    return is_weak ? slice_of(tag.data + 2, tag.size - 2) : tag;
}

/* For free(3). */
static char *version_bytes(const struct sim_version *version)
{
    char *data = malloc(version->size + 1);
    sim_check(data != NULL, "out of memory");
    for (uint64_t i = 0; i < version->size; i++) {
        data[i] = sim_byte(version->content, i);
    }
    return data;
}

char *sim_make(const struct sim_version *version, enum http_coding coding, size_t *size)
{
    char *data = version_bytes(version);
    struct compress_job job = { .coding = coding, .data = data, .size = version->size };
    compress_run(&job.work);
    free(data);
    *size = job.result_size;
    return job.error == 0 ? job.result : NULL;
}

static void digest_version(const struct sim_version *version, uint8_t digest[DIGEST_SIZE])
{
    char *data = version_bytes(version);
    sim_check(digest_bytes(data, version->size, digest) == 0, "no digest");
    free(data);
}

/* hash: of the content, or NULL. */
static bool is_tag(struct slice tag, const struct sim_version *version, enum http_coding coding,
                   const uint8_t *hash)
{
    struct stat status;
    sim_version_stat(version, &status);
    struct http_etag_source source = {
        .size = version->size,
        .mtime_s = status.st_mtim.tv_sec,
        .mtime_ns = (uint32_t)status.st_mtim.tv_nsec,
        .changed_s = status.st_ctim.tv_sec,
        .changed_ns = (uint32_t)status.st_ctim.tv_nsec,
        .inode = status.st_ino,
        .hash = hash,
        .coding = coding,
    };
    char buffer[HTTP_ETAG_SIZE_MAX];
    size_t size = http_etag_write(&source, INT64_C(2) * SIM_UTC_START_S, buffer);
    return slice_equal(opaque(tag), slice_of(buffer, size));
}

static bool is_tag_of(const struct sim *sim, const struct sim_response *response,
                      const struct sim_version *version)
{
    switch (sim->plan.conf->etag) {
    case CONF_ETAG_OFF:
        return response->etag.data == NULL;
    case CONF_ETAG_STAT:
        return is_tag(response->etag, version, response->coding, NULL);
    case CONF_ETAG_HASH:
        break;
    }
    uint8_t digest[DIGEST_SIZE];
    digest_version(version, digest);
    return is_tag(response->etag, version, response->coding, digest);
}

bool sim_tag_is_of_file(const struct sim *sim, const struct sim_response *response,
                        const struct sim_node *node, uint32_t index)
{
    /* Deleting an open file moves its time of change, and nothing else. */
    bool is_deleted_next = index + 1 < node->versions_count && !node->versions[index + 1].exists;
    return is_tag_of(sim, response, &node->versions[index]) ||
           (is_deleted_next && is_tag_of(sim, response, &node->versions[index + 1]));
}

/* The same where the coding was made from that version: a hash is one of what was made. */
static bool is_tag_of_made(const struct sim *sim, const struct sim_response *response,
                           uint64_t size, const struct sim_node *node, uint32_t index)
{
    if (sim->plan.conf->etag != CONF_ETAG_HASH) {
        return sim_tag_is_of_file(sim, response, node, index);
    }
    if (size < response->length || response->status != 200) {
        return response->etag.data != NULL; /* of bytes that are not here */
    }
    uint8_t digest[DIGEST_SIZE];
    sim_check(digest_bytes(response->body, size, digest) == 0, "no digest");
    return is_tag(response->etag, &node->versions[index], response->coding, digest);
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* A sibling has a use when it is no older than the file, and smaller. */
static bool sibling_is_good(const struct sim_request *request, const struct sim_node *node,
                            const struct sim_version *sibling)
{
    for (uint32_t i = 0; i < node->versions_count; i++) {
        const struct sim_version *version = &node->versions[i];
        if (sim_version_is_possible(node, i, request->stamp) && version->exists &&
            sibling->changed_ns >= version->changed_ns && sibling->size < version->size) {
            return true;
        }
    }
    return false;
}

static bool is_sibling(const struct sim *sim, const struct sim_client *client,
                       const struct sim_request *request, const struct sim_node *node,
                       const struct sim_response *response, uint64_t size)
{
    const struct sim_node *sibling = sim_sibling(sim, node, response->coding);
    for (uint32_t i = 0; sibling != NULL && i < sibling->versions_count; i++) {
        const struct sim_version *version = &sibling->versions[i];
        if (sim_version_is_possible(sibling, i, request->stamp) && version->exists &&
            sim_version_is_body(client, request, sibling, version, response, size) &&
            sim_tag_is_of_file(sim, response, sibling, i) &&
            sibling_is_good(request, node, version)) {
            return true;
        }
    }
    return false;
}

static bool decoded_is(const char *decoded, size_t size, const struct sim_version *version)
{
    if (size != version->size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (decoded[i] != sim_byte(version->content, i)) {
            return false;
        }
    }
    return true;
}

static bool is_made(const struct sim *sim, const struct sim_request *request,
                    const struct sim_node *node, const struct sim_response *response, uint64_t size)
{
    bool is_whole = size == response->length; /* else it cannot be decoded */
    char *decoded = malloc(DECODED_SIZE_MAX);
    sim_check(decoded != NULL, "out of memory");
    size_t decoded_size = is_whole ? decode(response, decoded) : 0;
    bool found = false;
    for (uint32_t i = 0; i < node->versions_count && !found; i++) {
        const struct sim_version *version = &node->versions[i];
        found = sim_version_is_possible(node, i, request->stamp) && version->exists &&
                (!is_whole || decoded_is(decoded, decoded_size, version)) &&
                is_tag_of_made(sim, response, size, node, i);
    }
    free(decoded);
    return found;
}

bool sim_coded_is_right(const struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct sim_response *response,
                        uint64_t size)
{
    static const char VARY[] = "\r\nVary: Accept-Encoding\r\n";
    if (!sim_takes_coding(request->wish.takes, response->coding) ||
        memmem(response->head, response->head_size, VARY, sizeof(VARY) - 1) == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < request->places_count; i++) {
        const struct sim_node *node = request->places[i];
        if (sim_place_is_possible(request, i) &&
            (is_sibling(sim, client, request, node, response, size) ||
             is_made(sim, request, node, response, size))) {
            return true;
        }
    }
    return false;
}

/* --- not modified ----------------------------------------------------------------------------- */

static bool is_tag_of_any(const struct sim *sim, const struct sim_request *request,
                          const struct sim_node *node, const struct sim_response *response)
{
    for (uint32_t i = 0; node != NULL && i < node->versions_count; i++) {
        if (sim_version_is_possible(node, i, request->stamp) && node->versions[i].exists &&
            (sim_tag_is_of_file(sim, response, node, i) ||
             (response->coding != HTTP_CODING_IDENTITY &&
              is_tag_of_made(sim, response, 0, node, i)))) {
            return true;
        }
    }
    return false;
}

/* A 304 names no coding: its tag may be that of any. */
bool sim_not_modified_is_right(const struct sim *sim, const struct sim_request *request,
                               const struct sim_response *response)
{
    struct slice asked = slice_from_string(request->wish.tag);
    if (asked.size > 0 && !slice_equal(opaque(asked), opaque(response->etag))) {
        return false;
    }
    for (uint32_t i = 0; i < request->places_count; i++) {
        for (unsigned coding = 0; coding < HTTP_CODINGS_COUNT; coding++) {
            struct sim_response coded = *response;
            coded.coding = (enum http_coding)coding;
            const struct sim_node *node = request->places[i];
            if (sim_place_is_possible(request, i) &&
                sim_takes_coding(request->wish.takes, coded.coding) &&
                (is_tag_of_any(sim, request, node, &coded) ||
                 (coding != HTTP_CODING_IDENTITY &&
                  is_tag_of_any(sim, request, sim_sibling(sim, node, coded.coding), &coded)))) {
                return true;
            }
        }
    }
    return false;
}

bool sim_tag_was_asked(const struct sim_request *request, const struct sim_response *response)
{
    struct slice asked = slice_from_string(request->wish.tag);
    return asked.size > 0 && response->etag.data != NULL &&
           slice_equal(opaque(asked), opaque(response->etag));
}

/* The later ones push the earlier ones out. */
void sim_keep_tag(struct sim *sim, const struct sim_request *request,
                  const struct sim_response *response)
{
    if (response->etag.data == NULL || response->etag.size >= SIM_TAG_SIZE_MAX) {
        return;
    }
    struct sim_seen *seen = &sim->seen[sim->seen_count++ % SIM_SEEN_MAX];
    *seen = (struct sim_seen){ .name = request->name, .wish = request->wish };
    memcpy(seen->wish.tag, response->etag.data, response->etag.size);
    seen->wish.tag[response->etag.size] = '\0';
}
