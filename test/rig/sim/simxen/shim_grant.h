/* The common part of libxengnttab, libxengntshr and libxenctrl. */
#ifndef SHIM_GRANT_H
#define SHIM_GRANT_H

#include "shim.h"

struct area {
    struct area *next;
    void *address;
    uint32_t count;
    uint32_t pages[REQUEST_REFS];
};
struct grant_handle {
    uint32_t id;
    int fd; /* stands for the opened device */
    struct area *areas;
};

struct grant_handle *grant_open(int fd_flags);
int grant_close(struct grant_handle *handle);
void *grant_map(struct grant_handle *handle, uint32_t granter, const uint32_t *refs, uint32_t count, int protection);
void *grant_share(struct grant_handle *handle, uint32_t grantee, uint32_t *refs, uint32_t count, int writable);
int grant_unmap(struct grant_handle *handle, void *address);
void grant_notify(const struct grant_handle *handle, uint32_t offset, uint32_t port);

#endif
