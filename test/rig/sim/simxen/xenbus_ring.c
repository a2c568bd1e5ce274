/* The ring between a domain and xenstored, and its messages. */
#define _GNU_SOURCE
#include "xenbus.h"

#include <stdio.h>
#include <string.h>

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool push_requests(struct domain *domain, struct xenstore_domain_interface *ring)
{
    bool moved = false;

    while (domain->out.length > 0) {
        uint32_t produced = ring->req_prod;
        uint32_t offset = MASK_XENSTORE_IDX(produced);
        uint32_t room = XENSTORE_RING_SIZE - (produced - ring->req_cons);
        uint32_t length = min3(room, XENSTORE_RING_SIZE - offset, (uint32_t)domain->out.length);
        atomic_thread_fence(memory_order_seq_cst);
        if (length == 0)
            break;
        memcpy(ring->req + offset, domain->out.bytes, length);
        atomic_thread_fence(memory_order_seq_cst);
        ring->req_prod = produced + length;
        buffer_drop(&domain->out, length);
        moved = true;
    }
    return moved;
}

static bool pull_responses(struct domain *domain, struct xenstore_domain_interface *ring)
{
    bool moved = false;

    for (;;) {
        uint32_t consumed = ring->rsp_cons;
        uint32_t offset = MASK_XENSTORE_IDX(consumed);
        uint32_t length = min3(ring->rsp_prod - consumed, XENSTORE_RING_SIZE - offset, XENSTORE_RING_SIZE);
        atomic_thread_fence(memory_order_seq_cst);
        if (length == 0)
            return moved;
        buffer_put(&domain->in, ring->rsp + offset, length);
        atomic_thread_fence(memory_order_seq_cst);
        ring->rsp_cons = consumed + length;
        moved = true;
    }
}

/* Moves bytes between the ring and the buffers. */
void xenbus_pump(struct domain *domain)
{
    struct xenstore_domain_interface *ring = (void *)(memory + (size_t)domain->page * PAGE_BYTES);
    bool pushed = push_requests(domain, ring);
    bool pulled = pull_responses(domain, ring);

    if (pushed || pulled)
        port_raise(ports, ports->port[domain->port].peer);
}

void put_message(struct buffer *to, struct xsd_sockmsg header, const void *body, uint32_t length)
{
    header.len = length;
    buffer_put(to, &header, sizeof header);
    buffer_put(to, body, length);
}

void put_watch(struct domain *domain, uint32_t type, uint32_t id, uint32_t client, const char *path, const char *token)
{
    char body[XENSTORE_PAYLOAD_MAX + TOKEN_PREFIX + 1];
    int length = snprintf(body, sizeof body, "%s%c%08x:%s", path, '\0', client, token) + 1;

    put_message(&domain->out, (struct xsd_sockmsg){.type = type, .req_id = id}, body, (uint32_t)length);
}

void put_abort(struct domain *domain, uint32_t transaction)
{
    put_message(&domain->out, (struct xsd_sockmsg){.type = XS_TRANSACTION_END, .tx_id = transaction}, "F", 2);
}

bool each_message(struct buffer *buffer, void *receiver, void (*handle)(void *, struct xsd_sockmsg *, char *))
{
    struct xsd_sockmsg header;

    while (buffer->length >= sizeof header) {
        char body[XENSTORE_PAYLOAD_MAX + 1];
        memcpy(&header, buffer->bytes, sizeof header);
        if (header.len > XENSTORE_PAYLOAD_MAX)
            return false;
        if (buffer->length < sizeof header + header.len)
            return true;
        memcpy(body, buffer->bytes + sizeof header, header.len);
        body[header.len] = '\0';
        buffer_drop(buffer, sizeof header + header.len);
        handle(receiver, &header, body);
    }
    return true;
}
