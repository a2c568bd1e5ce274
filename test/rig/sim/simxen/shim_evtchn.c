/* libxenevtchn on simxend's ports; notify and unmask need no request to simxend, only a write to a FIFO. */
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenevtchn.h>

#define UNUSED __attribute__((unused))

struct xenevtchn_handle {
    uint32_t id;
    int fd;
};

xenevtchn_handle *xenevtchn_open(UNUSED struct xentoollog_logger *logger, unsigned flags)
{
    int id = shim_call(OP_EVTCHN_OPEN, 0, 0, 0);
    if (id < 0)
        return NULL;
    xenevtchn_handle *handle = malloc(sizeof *handle);
    int cloexec = (flags & XENEVTCHN_NO_CLOEXEC) != 0 ? 0 : O_CLOEXEC;
    handle->id = (uint32_t)id;
    handle->fd = open(rig_path("ev.%u", handle->id), O_RDWR | cloexec);
    return handle;
}

/* Only xenstored's live update calls this function. */
xenevtchn_handle *xenevtchn_fdopen(UNUSED struct xentoollog_logger *logger, UNUSED int fd, UNUSED unsigned flags)
{
    errno = ENOSYS;
    return NULL;
}

int xenevtchn_close(xenevtchn_handle *handle)
{
    if (handle == NULL)
        return 0;
    shim_call(OP_EVTCHN_CLOSE, handle->id, 0, 0);
    close(handle->fd);
    free(handle);
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
    return handle->fd;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    if (port >= PORTS || !shim_ports->port[port].used || shim_ports->port[port].handle != handle->id) {
        errno = EINVAL;
        return -1;
    }
    port_raise(shim_ports, atomic_load(&shim_ports->port[port].peer));
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *handle, uint32_t domid)
{
    return shim_call(OP_BIND_UNBOUND, handle->id, domid, 0);
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, evtchn_port_t remote)
{
    return shim_call(OP_BIND_INTERDOMAIN, handle->id, domid, remote);
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, UNUSED unsigned virq)
{
    return shim_call(OP_BIND_VIRQ, handle->id, 0, 0);
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    return shim_call(OP_UNBIND, handle->id, port, 0);
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
    uint32_t port;

    return read(handle->fd, &port, sizeof port) == sizeof port ? (int)port : -1;
}

int xenevtchn_unmask(UNUSED xenevtchn_handle *handle, evtchn_port_t port)
{
    if (port >= PORTS || !shim_ports->port[port].used) {
        errno = EINVAL;
        return -1;
    }
    port_unmask(shim_ports, port);
    return 0;
}
