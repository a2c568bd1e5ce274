#pragma once

// A word of the agent's protocol: every byte that is not a visible sign of ASCII is written \hh, and
// a "." stands before it, so that none is empty.
#include <cstdio>
#include <string>

inline std::string encode(const std::string& bytes) {
    std::string word = ".";
    for (const char byte : bytes) {
        if (byte > ' ' && byte < 0x7f && byte != '\\') {
            word += byte;
        } else {
            char hex[4];
            std::snprintf(hex, sizeof hex, "\\%02x", static_cast<unsigned char>(byte));
            word += hex;
        }
    }
    return word;
}

inline std::string decode(const std::string& word) {
    std::string bytes;
    for (size_t at = 1; at < word.size(); ++at) {
        if (word[at] != '\\') {
            bytes += word[at];
        } else {
            bytes += static_cast<char>(std::stoi(word.substr(at + 1, 2), nullptr, 16));
            at += 2;
        }
    }
    return bytes;
}
