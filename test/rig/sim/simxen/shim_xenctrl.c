/*
 * The hypercalls below the real libxenctrl: they fail with ENOSYS, except those that tell which domains
 * exist. (A fake xc_interface is not enough, because xl reads its fields.)
 */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>
#include <xenctrl.h>

#define UNUSED __attribute__((unused))

static void *any_handle(void)
{
    return calloc(1, 64);
}

xencall_handle *xencall_open(UNUSED xentoollog_logger *logger, UNUSED unsigned flags)
{
    return shim_call(OP_DOMAIN_EXISTS, 0, 0, 0) < 0 ? NULL : any_handle();
}

int xencall_close(xencall_handle *handle)
{
    free(handle);
    return 0;
}

static int not_implemented(void)
{
    errno = ENOSYS;
    return -1;
}

int xencall0(UNUSED xencall_handle *handle, UNUSED unsigned op)
{
    return not_implemented();
}

int xencall1(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a)
{
    return not_implemented();
}

int xencall2(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a, UNUSED uint64_t b)
{
    return not_implemented();
}

long xencall2L(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a, UNUSED uint64_t b)
{
    return not_implemented();
}

int xencall3(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a, UNUSED uint64_t b,
             UNUSED uint64_t c)
{
    return not_implemented();
}

int xencall4(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a, UNUSED uint64_t b,
             UNUSED uint64_t c, UNUSED uint64_t d)
{
    return not_implemented();
}

int xencall5(UNUSED xencall_handle *handle, UNUSED unsigned op, UNUSED uint64_t a, UNUSED uint64_t b,
             UNUSED uint64_t c, UNUSED uint64_t d, UNUSED uint64_t e)
{
    return not_implemented();
}

void *xencall_alloc_buffer_pages(UNUSED xencall_handle *handle, size_t pages)
{
    return calloc(pages, PAGE_BYTES);
}

void xencall_free_buffer_pages(UNUSED xencall_handle *handle, void *buffer, UNUSED size_t pages)
{
    free(buffer);
}

void *xencall_alloc_buffer(UNUSED xencall_handle *handle, size_t size)
{
    return calloc(1, size);
}

void xencall_free_buffer(UNUSED xencall_handle *handle, void *buffer)
{
    free(buffer);
}

void *xenforeignmemory_open(UNUSED xentoollog_logger *logger, UNUSED unsigned flags)
{
    return any_handle();
}

int xenforeignmemory_close(void *handle)
{
    free(handle);
    return 0;
}

void *xendevicemodel_open(UNUSED xentoollog_logger *logger, UNUSED unsigned flags)
{
    return any_handle();
}

int xendevicemodel_close(void *handle)
{
    free(handle);
    return 0;
}

int xc_domain_getinfo(UNUSED xc_interface *xc, uint32_t first, UNUSED unsigned max, xc_dominfo_t *info)
{
    if (shim_call(OP_DOMAIN_EXISTS, first, 0, 0) < 0) {
        errno = ESRCH;
        return -1;
    }
    memset(info, 0, sizeof *info);
    info->domid = first;
    return 1;
}

int xc_domain_getinfolist(UNUSED xc_interface *xc, uint32_t first, UNUSED unsigned max, xc_domaininfo_t *info)
{
    if (shim_call(OP_DOMAIN_EXISTS, first, 0, 0) < 0)
        return 0;
    memset(info, 0, sizeof *info);
    info->domain = (domid_t)first;
    info->nr_online_vcpus = 1;
    info->flags = XEN_DOMINF_running;
    return 1;
}
