/* replay: runs a fuzz target on every file of its corpus once, in the order of their names, and
 * prints TAP; with arguments, on those files instead. It runs at the root of the repository. A
 * property that does not hold aborts: the last line, "# FILE", then names the input. FUZZ_NAME
 * comes from make. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/fuzz/fuzz.h"

#define CORPUS "test/fuzz/corpus/" FUZZ_NAME

enum {
    INPUT_SIZE_MAX = 4 * 1024 * 1024
};

/* The input gets a block of exactly its size, so that a sanitizer sees a read past its end. */
static int input_run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, data, size);
    int result = LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return result;
}

/* Returns 0, or -errno when the file cannot be read. */
static int file_run(const char *path, uint8_t *buffer)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -errno;
    }
    size_t size = fread(buffer, 1, INPUT_SIZE_MAX, file);
    int error = ferror(file) ? -EIO : 0;
    fclose(file);
    return error != 0 ? error : input_run(buffer, size);
}

/* Returns how many could not be run. */
static int files_run(char *const paths[], int count)
{
    uint8_t *buffer = malloc(INPUT_SIZE_MAX);
    if (buffer == NULL) {
        printf("Bail out! no memory\n");
        return 1;
    }
    int failed = 0;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        printf("# %s\n", paths[i]);
        fflush(stdout);
        int error = file_run(paths[i], buffer);
        failed += error != 0 ? 1 : 0;
        printf("%sok %d - %s%s%s\n", error != 0 ? "not " : "", i + 1, paths[i],
               error != 0 ? ": " : "", error != 0 ? strerror(-error) : "");
    }
    free(buffer);
    return failed;
}

static int name_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int corpus_run(void)
{
    struct dirent **entries = NULL;
    int count = scandir(CORPUS, &entries, name_is_visible, alphasort);
    if (count <= 0) {
        printf("Bail out! %s: %s\n", CORPUS, count < 0 ? strerror(errno) : "no files");
        free(entries);
        return 1;
    }
    char **paths = calloc((size_t)count, sizeof(*paths));
    int named = 0;
    for (int i = 0; i < count; i++) {
        if (paths != NULL && asprintf(&paths[i], "%s/%s", CORPUS, entries[i]->d_name) > 0) {
            named++;
        }
        free(entries[i]);
    }
    free(entries);
    int failed = 1;
    if (named == count) {
        failed = files_run(paths, count);
    } else {
        printf("Bail out! no memory\n");
    }
    for (int i = 0; i < named; i++) {
        free(paths[i]);
    }
    free(paths);
    return failed;
}

int main(int argc, char *argv[])
{
    int failed = argc > 1 ? files_run(argv + 1, argc - 1) : corpus_run();
    return failed > 0 ? 1 : 0;
}
