/* A hash table of prefixes, the text that patterns begin with. A path is looked up once for each
 * size that a prefix has, with a hash that goes on from byte to byte. Within a bucket, four bytes
 * of the suffix refuse most patterns in one comparison; what is left is matched in full. */
#include "http/http_glob_index.h"

#include <assert.h>

_Static_assert((HTTP_GLOB_INDEX_SLOTS_COUNT & (HTTP_GLOB_INDEX_SLOTS_COUNT - 1)) == 0,
               "a power of two");
_Static_assert(HTTP_GLOB_SIZE_MAX <= UINT8_MAX, "sizes of ends fit a byte");

enum {
    SET_WORD_BITS = 64,
    SET_WORDS_COUNT = HTTP_GLOB_INDEX_PATTERNS_MAX / SET_WORD_BITS,
    TAIL_SIZE_MAX = 4,
};

/* FNV-1a: that of a longer text goes on from that of a shorter one. */
static const uint32_t hash_start = 2166136261U;

/* Numbers of patterns, collected in any order. */
struct pattern_set {
    uint64_t words[SET_WORDS_COUNT];
};

static uint32_t hash_step(uint32_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * 16777619U;
}

static uint32_t slice_hash(struct slice text)
{
    uint32_t hash = hash_start;
    for (size_t i = 0; i < text.size; i++) {
        hash = hash_step(hash, text.data[i]);
    }
    return hash;
}

/* The last bytes of text, the last one lowest. */
static uint32_t slice_tail(struct slice text)
{
    uint32_t tail = 0;
    for (size_t i = 0; i < TAIL_SIZE_MAX && i < text.size; i++) {
        tail |= (uint32_t)(unsigned char)text.data[text.size - 1 - i] << 8 * i;
    }
    return tail;
}

/* The slot of the bucket with this prefix, or the empty one where it belongs. */
static uint32_t slot_find(const struct http_glob_index *index, uint32_t hash, struct slice prefix)
{
    uint32_t slot = hash & (HTTP_GLOB_INDEX_SLOTS_COUNT - 1);
    while (index->slots[slot] > 0) {
        const struct http_glob_bucket *bucket = &index->buckets[index->slots[slot] - 1];
        struct slice text = slice_of(index->patterns[bucket->pattern].data, bucket->prefix_size);
        if (bucket->hash == hash && slice_equal(text, prefix)) {
            break;
        }
        slot = (slot + 1) & (HTTP_GLOB_INDEX_SLOTS_COUNT - 1);
    }
    return slot;
}

/* The bucket of a pattern, made when there is none. */
static struct http_glob_bucket *bucket_take(struct http_glob_index *index, uint16_t pattern)
{
    struct slice prefix = http_glob_find_ends(index->patterns[pattern]).prefix;
    uint32_t hash = slice_hash(prefix);
    uint32_t slot = slot_find(index, hash, prefix);
    if (index->slots[slot] == 0) {
        assert(index->buckets_count < HTTP_GLOB_INDEX_PATTERNS_MAX);
        index->buckets[index->buckets_count++] = (struct http_glob_bucket){
            .hash = hash, .pattern = pattern, .prefix_size = (uint8_t)prefix.size
        };
        index->slots[slot] = index->buckets_count;
        index->has_prefix_size[prefix.size] = true;
    }
    if (prefix.size > index->prefix_size_max) {
        index->prefix_size_max = (uint8_t)prefix.size;
    }
    return &index->buckets[index->slots[slot] - 1];
}

static struct http_glob_row row_make(const struct http_glob_index *index, uint16_t pattern)
{
    struct slice text = index->patterns[pattern];
    struct http_glob_ends ends = http_glob_find_ends(text);
    size_t bits = 8 * (ends.suffix.size < TAIL_SIZE_MAX ? ends.suffix.size : TAIL_SIZE_MAX);
    return (struct http_glob_row){
        .tail = slice_tail(ends.suffix),
        .tail_mask = (uint32_t)((UINT64_C(1) << bits) - 1),
        .pattern = pattern,
        .ends_size = (uint8_t)(ends.prefix.size + ends.suffix.size),
        .suffix_size = (uint8_t)ends.suffix.size,
        .is_plain = ends.prefix.size == text.size && text.data[text.size - 1] != '/',
    };
}

void http_glob_index_build(struct http_glob_index *index, const struct slice *patterns,
                           size_t count)
{
    assert(count <= HTTP_GLOB_INDEX_PATTERNS_MAX);
    memset(index, 0, sizeof(*index));
    index->patterns = patterns;
    for (uint16_t i = 0; i < count; i++) {
        bucket_take(index, i)->rows_count++;
    }
    uint16_t row_first = 0;
    for (uint16_t i = 0; i < index->buckets_count; i++) {
        index->buckets[i].row_first = row_first;
        row_first += index->buckets[i].rows_count;
        index->buckets[i].rows_count = 0;
    }
    assert(row_first == count);
    for (uint16_t i = 0; i < count; i++) {
        struct http_glob_bucket *bucket = bucket_take(index, i);
        index->rows[bucket->row_first + bucket->rows_count++] = row_make(index, i);
    }
}

/* The prefix has been compared. */
static bool row_fits(const struct http_glob_index *index, const struct http_glob_row *row,
                     struct slice path)
{
    struct slice pattern = index->patterns[row->pattern];
    return (row->is_plain ? path.size == row->ends_size : path.size >= row->ends_size) &&
           memcmp(path.data + path.size - row->suffix_size,
                  pattern.data + pattern.size - row->suffix_size, row->suffix_size) == 0;
}

static void bucket_collect(const struct http_glob_index *index,
                           const struct http_glob_bucket *bucket, struct slice path, uint32_t tail,
                           struct pattern_set *set)
{
    const struct http_glob_row *row = &index->rows[bucket->row_first];
    for (const struct http_glob_row *end = row + bucket->rows_count; row < end; row++) {
        if ((tail & row->tail_mask) == row->tail && row_fits(index, row, path)) {
            set->words[row->pattern / SET_WORD_BITS] |= UINT64_C(1) << row->pattern % SET_WORD_BITS;
        }
    }
}

/* Every pattern whose ends fit. */
static void candidates_collect(const struct http_glob_index *index, struct slice path,
                               struct pattern_set *set)
{
    assert(path.size > 0);
    assert(path.data[0] == '/');
    memset(set, 0, sizeof(*set));
    uint32_t tail = slice_tail(path);
    uint32_t hash = hash_start;
    for (size_t size = 1; size <= path.size && size <= index->prefix_size_max; size++) {
        hash = hash_step(hash, path.data[size - 1]);
        if (!index->has_prefix_size[size]) {
            continue;
        }
        uint16_t found = index->slots[slot_find(index, hash, slice_of(path.data, size))];
        if (found > 0) {
            bucket_collect(index, &index->buckets[found - 1], path, tail, set);
        }
    }
}

/* Takes the lowest number out of a word that is not empty. */
static uint16_t number_take(struct pattern_set *set, size_t word)
{
    uint64_t bits = set->words[word];
    set->words[word] = bits & (bits - 1);
    return (uint16_t)(word * SET_WORD_BITS + (size_t)__builtin_ctzll(bits));
}

size_t http_glob_index_find(const struct http_glob_index *index, struct slice path,
                            uint16_t *matches, size_t matches_max)
{
    struct pattern_set set;
    candidates_collect(index, path, &set);
    size_t count = 0;
    for (size_t word = 0; word < SET_WORDS_COUNT; word++) {
        while (set.words[word] != 0) {
            uint16_t pattern = number_take(&set, word);
            if (!http_glob_match(index->patterns[pattern], path, NULL)) {
                continue;
            }
            if (count < matches_max) {
                matches[count] = pattern;
            }
            count++;
        }
    }
    return count;
}

size_t http_glob_index_count_tries(const struct http_glob_index *index, struct slice path)
{
    struct pattern_set set;
    candidates_collect(index, path, &set);
    size_t count = 0;
    for (size_t word = 0; word < SET_WORDS_COUNT; word++) {
        count += (size_t)__builtin_popcountll(set.words[word]);
    }
    return count;
}
