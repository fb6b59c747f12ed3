// Bytes that are not moments are refused with an error of ours; bytes that are moments come back as they were. The input
// is also put behind a valid header with a valid checksum, so that the body is reached.
#include <anderhalf/core/errors.hpp>
#include <anderhalf/estimation/moments.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using anderhalf::estimation::Moments;

namespace {

void read(std::string_view bytes) {
    try {
        const Moments moments = Moments::from_bytes(bytes);
        if (moments.bytes() != bytes) __builtin_trap();
    } catch (const anderhalf::Error&) {  // refused
    }
}

std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int k = 0; k < bytes; ++k) text.push_back(static_cast<char>(value >> (8 * k) & 0xFF));
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body{reinterpret_cast<const char*>(data), size};
    read(body);
    std::string framed = "AHMOMENT" + number(1, 4) + number(size, 8) + body;
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char byte : framed) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
    read(framed + number(hash, 8));
    return 0;
}
