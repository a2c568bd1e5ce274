/* Requests from a guest's processes to xenstored. */
#define _GNU_SOURCE
#include "xenbus.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void refuse(struct connection *client, const struct xsd_sockmsg *header, const char *error)
{
    struct xsd_sockmsg answer = *header;
    answer.type = XS_ERROR;
    put_message(&client->out, answer, error, (uint32_t)strlen(error) + 1);
}

static void forget_watch(struct watch *watch)
{
    free(watch->path);
    free(watch->token);
    free(watch);
}

static void client_unwatch(struct connection *client, const struct xsd_sockmsg *header, const char *path, const char *token)
{
    for (struct watch **link = &client->watches; *link != NULL; link = &(*link)->next) {
        struct watch *watch = *link;
        if (strcmp(watch->path, path) != 0 || strcmp(watch->token, token) != 0)
            continue;
        put_watch(domain_find(client->domain), XS_UNWATCH, 0, client->id, path, token);
        *link = watch->next;
        forget_watch(watch);
        break;
    }
    put_message(&client->out, *header, "OK", 3); /* the kernel always answers this */
}

static bool owns_transaction(const struct connection *client, uint32_t id)
{
    for (struct transaction *one = client->transactions; one != NULL; one = one->next)
        if (one->id == id)
            return true;
    return id == 0;
}

static struct pending *pending_new(struct domain *domain, const struct connection *client, const struct xsd_sockmsg *header)
{
    static uint32_t next_id = 1;
    struct pending *pending = calloc(1, sizeof *pending);

    *pending = (struct pending){.next = domain->pending,
                                .id = next_id++,
                                .connection = client->id,
                                .client_id = header->req_id,
                                .type = header->type};
    domain->pending = pending;
    return pending;
}

static void from_client(void *receiver, struct xsd_sockmsg *header, char *body)
{
    struct connection *client = receiver;
    struct domain *domain = domain_find(client->domain);
    bool about_watch = header->type == XS_WATCH || header->type == XS_UNWATCH;
    const char *token = about_watch ? memchr(body, '\0', header->len) : NULL;

    if (about_watch && (token == NULL || memchr(token + 1, '\0', header->len - (size_t)(token + 1 - body)) == NULL)) {
        refuse(client, header, "EINVAL");
    } else if (header->type == XS_UNWATCH) {
        client_unwatch(client, header, body, token + 1);
    } else if (!owns_transaction(client, header->tx_id)) {
        refuse(client, header, "ENOENT");
    } else if (header->type == XS_WATCH) {
        struct pending *pending = pending_new(domain, client, header);
        struct watch *watch = malloc(sizeof *watch);
        pending->path = strdup(body);
        pending->token = strdup(token + 1);
        *watch = (struct watch){client->watches, strdup(body), strdup(token + 1)};
        client->watches = watch;
        put_watch(domain, XS_WATCH, pending->id, client->id, body, token + 1);
    } else {
        struct xsd_sockmsg request = *header;
        request.req_id = pending_new(domain, client, header)->id;
        put_message(&domain->out, request, body, header->len);
    }
}

void xenbus_client_readable(struct connection *client)
{
    uint8_t bytes[8192];
    ssize_t length = read(client->fd, bytes, sizeof bytes);

    if (length <= 0) {
        client->dead = true;
        return;
    }
    buffer_put(&client->in, bytes, (size_t)length);
    if (!each_message(&client->in, client, from_client))
        client->dead = true;
    xenbus_pump(domain_find(client->domain));
}

/* Ends the watches and transactions of a client that has gone. */
void xenbus_client_gone(struct connection *client)
{
    struct domain *domain = domain_find(client->domain);
    struct watch *watch;
    struct transaction *transaction;

    while ((watch = client->watches) != NULL) {
        client->watches = watch->next;
        if (domain != NULL)
            put_watch(domain, XS_UNWATCH, 0, client->id, watch->path, watch->token);
        forget_watch(watch);
    }
    while ((transaction = client->transactions) != NULL) {
        client->transactions = transaction->next;
        if (domain != NULL)
            put_abort(domain, transaction->id);
        free(transaction);
    }
    if (domain != NULL)
        xenbus_pump(domain);
}
