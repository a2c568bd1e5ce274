/* Grants: the owner and the grantee of each page, and the connections that hold it. */
#include "simxend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct page {
    uint32_t owner, grantee, maps;
    bool owned, writable;
} pages[PAGES];

static bool page_in_use(uint32_t index)
{
    return pages[index].owned || pages[index].maps > 0;
}

int grant_page_new(uint32_t owner, uint32_t grantee, bool writable)
{
    static uint32_t last;

    for (uint32_t tried = 0; tried < PAGES - 1; tried++) {
        last = 1 + last % (PAGES - 1);
        if (page_in_use(last))
            continue;
        pages[last] = (struct page){.owner = owner, .grantee = grantee, .owned = true, .writable = writable};
        memset(memory + (size_t)last * PAGE_BYTES, 0, PAGE_BYTES);
        return (int)last;
    }
    return -ENOSPC;
}

void grant_page_disown(uint32_t index)
{
    pages[index].owned = false;
}

void grant_open_notify(struct connection *owner, const struct request *request)
{
    struct unmap_notify *notify = malloc(sizeof *notify);
    *notify = (struct unmap_notify){.next = owner->notifies,
                                    .handle = request->a,
                                    .page = request->values[0],
                                    .offset = request->b,
                                    .port = request->c};
    owner->notifies = notify;
}

static int page_of_ref(uint32_t granter, uint32_t ref)
{
    if (ref != REF_XENSTORE)
        return (int)ref - REF_BASE;
    struct domain *domain = domain_find(granter);
    return domain == NULL ? -EINVAL : (int)domain->page;
}

static int page_to_map(uint32_t mapper, const struct request *request, uint32_t ref)
{
    int index = page_of_ref(request->b, ref);
    if (index <= 0 || index >= PAGES)
        return -EINVAL;
    struct page *page = &pages[index];
    bool allowed = page->owned && page->owner == request->b && page->grantee == mapper;
    if (!allowed || (request->c && !page->writable))
        return -EINVAL;
    page->maps++;
    return index;
}

/* OP_GRANT_SHARE or OP_GRANT_MAP: takes all pages or none. Returns their number, or a negative errno. */
int grant_get(struct connection *owner, const struct request *request, struct reply *reply)
{
    bool share = request->op == OP_GRANT_SHARE;

    for (uint32_t k = 0; k < request->count; k++) {
        int index = share ? grant_page_new(owner->domain, request->b, request->c)
                          : page_to_map(owner->domain, request, request->values[k]);
        if (index < 0) {
            while (k-- > 0)
                grant_put(owner, request->a, reply->values[k], false);
            return index;
        }
        struct held_page *held = malloc(sizeof *held);
        *held = (struct held_page){owner->pages, request->a, (uint32_t)index, share};
        owner->pages = held;
        reply->values[k] = (uint32_t)index;
    }
    return (int)request->count;
}

static void notify_unmap(const struct unmap_notify *notify)
{
    if (notify->offset < PAGE_BYTES)
        memory[(size_t)notify->page * PAGE_BYTES + notify->offset] = 0;
    if (notify->port < PORTS && ports->port[notify->port].used)
        port_raise(ports, ports->port[notify->port].peer);
}

/* Gives pages back; handle 0 means every handle, and page 0 means every page. */
void grant_put(struct connection *owner, uint32_t handle, uint32_t page, bool notify)
{
    for (struct unmap_notify **link = &owner->notifies; *link != NULL;) {
        struct unmap_notify *one = *link;
        if ((handle != 0 && one->handle != handle) || (page != 0 && one->page != page)) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        if (notify)
            notify_unmap(one);
        free(one);
    }
    for (struct held_page **link = &owner->pages; *link != NULL;) {
        struct held_page *one = *link;
        if ((handle != 0 && one->handle != handle) || (page != 0 && one->page != page)) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        if (one->shared)
            pages[one->page].owned = false;
        else
            pages[one->page].maps--;
        free(one);
    }
}
