/* sim_file_read: server/file_read.h, linked in place of the real one: what an offloaded work reads
 * comes from the model, as all bytes of files do. */
#include "server/file_read.h"

#include "sim.h"

int64_t file_read(int file, void *data, size_t size, uint64_t offset)
{
    struct sim *sim = *sim_current();
    sim_check(file >= 0 && file < SIM_FDS_MAX, "a work reads descriptor %d", file);
    const struct sim_descriptor *descriptor = &sim->descriptors[file];
    sim_check(descriptor->kind == SIM_FD_FILE, "a work reads descriptor %d, which is no file",
              file);
    return sim_files_read(&sim->files, descriptor->index, offset, data, (uint32_t)size);
}
