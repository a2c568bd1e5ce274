/* Event channels: handles (one per opened /dev/xen/evtchn) and ports. */
#define _GNU_SOURCE
#include "simxend.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t exception_port;

uint32_t evtchn_handle_new(struct connection *owner)
{
    static uint32_t next = 1;
    uint32_t id = next++;

    if (mkfifo(rig_path("ev.%u", id), 0600) != 0)
        die("mkfifo");
    if (owner != NULL) {
        struct evtchn_handle *handle = malloc(sizeof *handle);
        *handle = (struct evtchn_handle){.next = owner->evtchns, .id = id};
        owner->evtchns = handle;
    }
    return id;
}

int evtchn_port_new(uint32_t domain, uint32_t handle, uint32_t remote_domain)
{
    static uint32_t last;

    for (uint32_t tried = 0; tried < PORTS - 1; tried++) {
        last = 1 + last % (PORTS - 1); /* numbers rotate, so that a stale one is not reused at once */
        struct port *port = &ports->port[last];
        if (port->used)
            continue;
        *port = (struct port){
            .used = 1, .domain = domain, .remote_domain = remote_domain, .handle = handle};
        return (int)last;
    }
    return -ENOSPC;
}

static void port_free(uint32_t number)
{
    struct port *port = &ports->port[number];

    if (port->peer != 0)
        ports->port[port->peer].peer = 0; /* as in Xen, the remote side is not told */
    *port = (struct port){0};
    if (exception_port == number)
        exception_port = 0;
}

int evtchn_bind_interdomain(uint32_t domain, const struct request *request)
{
    if (request->c == 0 || request->c >= PORTS)
        return -EINVAL;
    struct port *remote = &ports->port[request->c];
    if (!remote->used || remote->domain != request->b || remote->remote_domain != domain || remote->peer != 0)
        return -EINVAL;

    int number = evtchn_port_new(domain, request->a, request->b);
    if (number < 0)
        return number;
    ports->port[number].peer = request->c;
    remote->peer = (uint32_t)number;
    port_raise(ports, (uint32_t)number); /* a fresh interdomain port starts out pending */
    return number;
}

int evtchn_bind_virq(uint32_t domain, uint32_t handle)
{
    int number = evtchn_port_new(domain, handle, 0);
    if (number > 0)
        exception_port = (uint32_t)number;
    return number;
}

int evtchn_unbind(uint32_t handle, uint32_t number)
{
    if (number >= PORTS || !ports->port[number].used || ports->port[number].handle != handle)
        return -EINVAL;
    port_free(number);
    return 0;
}

void evtchn_handle_close(struct connection *owner, uint32_t id)
{
    for (struct evtchn_handle **link = &owner->evtchns; *link != NULL; link = &(*link)->next) {
        struct evtchn_handle *handle = *link;
        if (handle->id != id)
            continue;
        for (uint32_t number = 1; number < PORTS; number++)
            if (ports->port[number].used && ports->port[number].handle == id)
                port_free(number);
        unlink(rig_path("ev.%u", id));
        *link = handle->next;
        free(handle);
        return;
    }
}

void evtchn_unbind_domain(uint32_t domain)
{
    for (uint32_t number = 1; number < PORTS; number++)
        if (ports->port[number].used && ports->port[number].domain == domain)
            port_free(number);
}

void evtchn_domain_exception(void)
{
    port_raise(ports, exception_port);
}
