/* Grants: a granted page is a page of $SIMXEN/mem, which is mapped after simxend has agreed. */
#define _GNU_SOURCE
#include "shim_grant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct grant_handle *grant_open(int fd_flags)
{
    int id = shim_call(OP_GRANT_OPEN, 0, 0, 0);
    if (id < 0)
        return NULL;
    struct grant_handle *handle = malloc(sizeof *handle);
    int fd = open(rig_path("mem", 0), O_RDWR | fd_flags);
    *handle = (struct grant_handle){.id = (uint32_t)id, .fd = fd};
    return handle;
}

static void grant_release(const struct grant_handle *handle, const struct area *area)
{
    struct request request = {.op = OP_GRANT_PUT, .a = handle->id, .count = area->count};
    struct reply reply;

    memcpy(request.values, area->pages, area->count * sizeof area->pages[0]);
    shim_request(&request, &reply);
}

int grant_unmap(struct grant_handle *handle, void *address)
{
    for (struct area **link = &handle->areas; *link != NULL; link = &(*link)->next) {
        struct area *area = *link;
        if (area->address != address)
            continue;
        grant_release(handle, area);
        munmap(address, (size_t)area->count * PAGE_BYTES);
        *link = area->next;
        free(area);
        return 0;
    }
    errno = EINVAL;
    return -1;
}

/* Existing mappings remain, as with the real driver. */
int grant_close(struct grant_handle *handle)
{
    struct area *area;

    if (handle == NULL)
        return 0;
    while ((area = handle->areas) != NULL) {
        grant_release(handle, area);
        handle->areas = area->next;
        free(area);
    }
    shim_call(OP_GRANT_CLOSE, handle->id, 0, 0);
    close(handle->fd);
    free(handle);
    return 0;
}

static void *map_pages(struct grant_handle *handle, const struct reply *reply, uint32_t count, int protection)
{
    char *address = mmap(NULL, (size_t)count * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct area *area = malloc(sizeof *area);

    *area = (struct area){.next = handle->areas, .address = address, .count = count};
    handle->areas = area;
    for (uint32_t k = 0; k < count; k++) {
        off_t offset = (off_t)reply->values[k] * PAGE_BYTES;
        area->pages[k] = reply->values[k];
        mmap(address + (size_t)k * PAGE_BYTES, PAGE_BYTES, protection, MAP_SHARED | MAP_FIXED, shim_memory, offset);
    }
    return address;
}

void *grant_map(struct grant_handle *handle, uint32_t granter, const uint32_t *refs, uint32_t count, int protection)
{
    struct request request = {
        .op = OP_GRANT_MAP, .a = handle->id, .b = granter, .c = (protection & PROT_WRITE) != 0, .count = count};
    struct reply reply;

    if (count == 0 || count > REQUEST_REFS) {
        errno = EINVAL;
        return NULL;
    }
    memcpy(request.values, refs, count * sizeof refs[0]);
    return shim_request(&request, &reply) < 0 ? NULL : map_pages(handle, &reply, count, protection);
}

void *grant_share(struct grant_handle *handle, uint32_t grantee, uint32_t *refs, uint32_t count, int writable)
{
    struct request request = {
        .op = OP_GRANT_SHARE, .a = handle->id, .b = grantee, .c = writable != 0, .count = count};
    struct reply reply;

    if (count == 0 || count > REQUEST_REFS) {
        errno = EINVAL;
        return NULL;
    }
    if (shim_request(&request, &reply) < 0)
        return NULL;
    for (uint32_t k = 0; k < count; k++)
        refs[k] = reply.values[k] + REF_BASE;
    return map_pages(handle, &reply, count, PROT_READ | PROT_WRITE);
}

/* Sets the unmap notification for the first page of the area that was mapped last. */
void grant_notify(const struct grant_handle *handle, uint32_t offset, uint32_t port)
{
    struct request request = {
        .op = OP_GRANT_NOTIFY, .a = handle->id, .b = offset, .c = port, .count = 1, .values = {handle->areas->pages[0]}};
    struct reply reply;

    if (offset != NO_NOTIFY || port != NO_NOTIFY)
        shim_request(&request, &reply);
}
