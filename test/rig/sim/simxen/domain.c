/* Domains, and the requests of processes that use libsimxen.so or simctl. */
#define _GNU_SOURCE
#include "simxend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct domain domains[DOMAINS];
static uint32_t own_handle;
struct domain *live_domains;

struct domain *domain_find(uint32_t id)
{
    return id < DOMAINS && domains[id].exists ? &domains[id] : NULL;
}

/* Domain 0 exists from the start. Its clients use xenstored's socket, so its port is unused but must exist. */
void domains_start(uint32_t own_evtchn_handle)
{
    own_handle = own_evtchn_handle;
    domains[0] = (struct domain){.exists = true};

    FILE *file = fopen(rig_path("xsd_port", 0), "w");
    if (file == NULL || fprintf(file, "%d", evtchn_port_new(0, own_handle, 0)) < 0 || fclose(file) != 0)
        die("xsd_port");
}

/* Returns the port of its xenstore ring. */
static int create(uint32_t id)
{
    if (id >= DOMAINS || domain_find(id) != NULL)
        return -EEXIST;
    int page = grant_page_new(id, 0, true);
    int port = evtchn_port_new(id, own_handle, 0);
    if (page < 0 || port < 0)
        return -ENOSPC;
    domains[id] = (struct domain){.next = live_domains,
                                  .id = id,
                                  .exists = true,
                                  .page = (uint32_t)page,
                                  .port = (uint32_t)port};
    live_domains = &domains[id];
    connection_add(connection_listen(rig_path("dom%u", id), SOCK_STREAM), LISTEN_XENBUS, id);
    return port;
}

static void disconnect_all_of(uint32_t id)
{
    for (int k = 0; k < connection_count; k++) {
        if (connections[k]->domain != id)
            continue;
        grant_put(connections[k], 0, 0, false);
        connections[k]->dead = true;
    }
}

static void free_domain(struct domain *domain)
{
    struct pending *pending;

    for (struct domain **link = &live_domains; *link != NULL; link = &(*link)->next) {
        if (*link != domain)
            continue;
        *link = domain->next;
        break;
    }
    while ((pending = domain->pending) != NULL) {
        domain->pending = pending->next;
        free(pending->path);
        free(pending->token);
        free(pending);
    }
    free(domain->in.bytes);
    free(domain->out.bytes);
    *domain = (struct domain){0};
}

/* Destroys a domain abruptly, as Xen does: its kernel cannot clean up, so vchan peers are not notified. */
static int destroy(uint32_t id)
{
    struct domain *domain = domain_find(id);
    if (domain == NULL || id == 0)
        return -ESRCH;
    disconnect_all_of(id);
    evtchn_unbind_domain(id);
    unlink(rig_path("dom%u", id));
    grant_page_disown(domain->page);
    free_domain(domain);
    evtchn_domain_exception();
    return 0;
}

static int put_pages(struct connection *client, const struct request *request)
{
    for (uint32_t k = 0; k < request->count; k++)
        grant_put(client, request->a, request->values[k], true);
    return 0;
}

static int next_grant_handle(void)
{
    static int next = 1;
    return next++;
}

void hypervisor_request(struct connection *client, const struct request *request, struct reply *reply)
{
    reply->result = 0;
    switch (request->op) {
    case OP_HELLO: client->domain = request->a; break;
    case OP_EVTCHN_OPEN: reply->result = (int)evtchn_handle_new(client); break;
    case OP_EVTCHN_CLOSE: evtchn_handle_close(client, request->a); break;
    case OP_BIND_UNBOUND: reply->result = evtchn_port_new(client->domain, request->a, request->b); break;
    case OP_BIND_INTERDOMAIN: reply->result = evtchn_bind_interdomain(client->domain, request); break;
    case OP_BIND_VIRQ: reply->result = evtchn_bind_virq(client->domain, request->a); break;
    case OP_UNBIND: reply->result = evtchn_unbind(request->a, request->b); break;
    case OP_GRANT_OPEN: reply->result = next_grant_handle(); break;
    case OP_GRANT_CLOSE: grant_put(client, request->a, 0, true); break;
    case OP_GRANT_SHARE:
    case OP_GRANT_MAP: reply->result = grant_get(client, request, reply); break;
    case OP_GRANT_PUT: reply->result = put_pages(client, request); break;
    case OP_GRANT_NOTIFY: grant_open_notify(client, request); break;
    case OP_DOMAIN_EXISTS: reply->result = domain_find(request->a) == NULL ? -ESRCH : 0; break;
    case OP_DOMAIN_CREATE: reply->result = create(request->a); break;
    case OP_DOMAIN_DESTROY: reply->result = destroy(request->a); break;
    default: reply->result = -ENOSYS;
    }
}
