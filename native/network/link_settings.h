// The kernel's settings of links, as below /proc/sys/net, and the policy rules about links.
#pragma once

#include <napi.h>

namespace vifwatch {

// Returns an array of objects, one per link of this network namespace: `name`; `ipv4`, an Int32Array of the
// values of IPV4_DEVCONF_1 and the following; `ipv6`, an Int32Array of the values of DEVCONF_0 and the following,
// absent if the link has no IPv6; and `proxyDelayMs`, absent with `ipv6`. The kernel answers at once. Throws
// Napi::Error with the errno's name in `code`.
Napi::Value LinkSettings(const Napi::CallbackInfo& info);

// Returns an array with the names of the links that policy rules (ip rule) of both families name, each as often as a
// rule names it. Throws Napi::Error with the errno's name in `code`.
Napi::Value RuleLinks(const Napi::CallbackInfo& info);

}  // namespace vifwatch
