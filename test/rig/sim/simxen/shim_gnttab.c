/* libxengnttab, libxengntshr, and the one mapping that oxenstored does through libxenctrl. */
#include "shim_grant.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xengnttab.h>

#define UNUSED __attribute__((unused))

xengnttab_handle *xengnttab_open(UNUSED struct xentoollog_logger *logger, UNUSED unsigned flags)
{
    return (xengnttab_handle *)grant_open(O_CLOEXEC);
}

int xengnttab_close(xengnttab_handle *handle)
{
    return grant_close((struct grant_handle *)handle);
}

int xengnttab_set_max_grants(UNUSED xengnttab_handle *handle, UNUSED uint32_t count)
{
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int protection)
{
    return grant_map((struct grant_handle *)handle, domid, &ref, 1, protection);
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *handle, uint32_t count, uint32_t domid, uint32_t *refs,
                                      int protection)
{
    return grant_map((struct grant_handle *)handle, domid, refs, count, protection);
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *handle, uint32_t domid, uint32_t ref, int protection,
                                     uint32_t offset, evtchn_port_t port)
{
    void *address = grant_map((struct grant_handle *)handle, domid, &ref, 1, protection);
    if (address != NULL)
        grant_notify((struct grant_handle *)handle, offset, port);
    return address;
}

int xengnttab_unmap(xengnttab_handle *handle, void *address, UNUSED uint32_t count)
{
    return grant_unmap((struct grant_handle *)handle, address);
}

xengntshr_handle *xengntshr_open(UNUSED struct xentoollog_logger *logger, UNUSED unsigned flags)
{
    return (xengntshr_handle *)grant_open(0); /* children inherit the real library's handle, too */
}

int xengntshr_fd(xengntshr_handle *handle)
{
    return ((struct grant_handle *)handle)->fd;
}

int xengntshr_close(xengntshr_handle *handle)
{
    return grant_close((struct grant_handle *)handle);
}

void *xengntshr_share_pages(xengntshr_handle *handle, uint32_t domid, int count, uint32_t *refs, int writable)
{
    return grant_share((struct grant_handle *)handle, domid, refs, (uint32_t)count, writable);
}

void *xengntshr_share_page_notify(xengntshr_handle *handle, uint32_t domid, uint32_t *ref, int writable,
                                  uint32_t offset, evtchn_port_t port)
{
    void *address = grant_share((struct grant_handle *)handle, domid, ref, 1, writable);
    if (address != NULL)
        grant_notify((struct grant_handle *)handle, offset, port);
    return address;
}

int xengntshr_unshare(xengntshr_handle *handle, void *address, UNUSED uint32_t count)
{
    return grant_unmap((struct grant_handle *)handle, address);
}

/* Only oxenstored calls this function, to map a domain's xenstore page. */
void *xc_map_foreign_range(UNUSED xc_interface *xc, uint32_t domid, UNUSED int size, int protection,
                           UNUSED unsigned long frame)
{
    static struct grant_handle *handle;
    uint32_t ref = REF_XENSTORE;

    if (handle == NULL)
        handle = grant_open(O_CLOEXEC);
    return handle == NULL ? NULL : grant_map(handle, domid, &ref, 1, protection);
}
