/* Replies and watch events from xenstored to a guest's processes. */
#define _GNU_SOURCE
#include "xenbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct connection *client_by_id(uint32_t id)
{
    for (int k = 0; k < connection_count; k++) {
        struct connection *one = connections[k];
        if (one->id == id && one->type == XENBUS_CLIENT && !one->dead)
            return one;
    }
    return NULL;
}

static void watch_event(const struct xsd_sockmsg *header, const char *path)
{
    const char *prefixed = path + strlen(path) + 1;
    struct connection *client = client_by_id((uint32_t)strtoul(prefixed, NULL, 16));
    const char *token = prefixed + TOKEN_PREFIX;

    if (client == NULL)
        return;
    for (struct watch *watch = client->watches; watch != NULL; watch = watch->next) {
        if (strcmp(watch->token, token) != 0)
            continue;
        char body[XENSTORE_PAYLOAD_MAX + 1];
        int length = snprintf(body, sizeof body, "%s%c%s", path, '\0', token) + 1;
        put_message(&client->out, (struct xsd_sockmsg){.type = header->type}, body, (uint32_t)length);
        return;
    }
}

static void transaction_started(struct domain *domain, struct connection *client, const char *body)
{
    uint32_t id = (uint32_t)strtoul(body, NULL, 10);
    if (client == NULL) {
        put_abort(domain, id);
        return;
    }
    struct transaction *transaction = malloc(sizeof *transaction);
    *transaction = (struct transaction){client->transactions, id};
    client->transactions = transaction;
}

static void transaction_ended(struct connection *client, uint32_t id)
{
    for (struct transaction **link = &client->transactions; *link != NULL; link = &(*link)->next) {
        struct transaction *transaction = *link;
        if (transaction->id != id)
            continue;
        *link = transaction->next;
        free(transaction);
        return;
    }
}

static struct pending *pending_take(struct domain *domain, uint32_t id)
{
    for (struct pending **link = &domain->pending; *link != NULL; link = &(*link)->next) {
        struct pending *pending = *link;
        if (pending->id != id)
            continue;
        *link = pending->next;
        return pending;
    }
    return NULL;
}

static void from_store(void *receiver, struct xsd_sockmsg *header, char *body)
{
    struct domain *domain = receiver;
    bool failed = header->type == XS_ERROR;

    if (header->type == XS_WATCH_EVENT) {
        watch_event(header, body);
        return;
    }
    struct pending *pending = pending_take(domain, header->req_id);
    if (pending == NULL)
        return;
    struct connection *client = client_by_id(pending->connection);
    if (pending->type == XS_TRANSACTION_START && !failed)
        transaction_started(domain, client, body);
    if (pending->type == XS_TRANSACTION_END && client != NULL)
        transaction_ended(client, header->tx_id);
    if (pending->type == XS_WATCH && failed && client != NULL) {
        client->dead = true;
    } else if (client != NULL) {
        header->req_id = pending->client_id;
        put_message(&client->out, *header, body, header->len);
    } else if (pending->type == XS_WATCH && !failed) {
        put_watch(domain, XS_UNWATCH, 0, pending->connection, pending->path, pending->token);
    }
    free(pending->path);
    free(pending->token);
    free(pending);
}

void xenbus_ring_readable(struct domain *domain)
{
    each_message(&domain->in, domain, from_store);
    xenbus_pump(domain);
}
