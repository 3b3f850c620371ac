#include "image/disk/ext4_hash.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace kiln::image::ext4 {

namespace {

using Words = std::array<std::uint32_t, 8>;
using State = std::array<std::uint32_t, 4>;

constexpr std::size_t kPieceBytes = 32;            // of a name, hashed at once
constexpr std::uint32_t kEndOfIndex = 0xFFFFFFFE;  // a position that the kernel keeps for itself

/// What is left of a name as eight words: its length is the padding, its bytes are taken as signed numbers.
Words words_of(std::string_view rest) {
  const auto length = static_cast<std::uint32_t>(rest.size());
  std::uint32_t padding = length | (length << 8);
  padding |= padding << 16;
  Words words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = padding;
    for (std::size_t at = 4 * i; at < std::min(rest.size(), 4 * i + 4); ++at) {
      const auto byte = static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(rest[at])));
      words[i] = byte + (words[i] << 8);
    }
  }
  return words;
}

struct Round {
  std::uint32_t (*mix)(std::uint32_t, std::uint32_t, std::uint32_t);
  std::uint32_t constant;
  std::array<std::uint8_t, 8> order;
  std::array<int, 4> shifts;
};

/// Three rounds of eight steps: MD4 with half its steps.
State mixed(const State& before, const Words& in) {
  static constexpr Round kRounds[] = {
      {[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return z ^ (x & (y ^ z)); },
       0,
       {0, 1, 2, 3, 4, 5, 6, 7},
       {3, 7, 11, 19}},
      {[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return (x & y) + ((x ^ y) & z); },
       0x5A827999,  // 2^30 times the root of 2
       {1, 3, 5, 7, 0, 2, 4, 6},
       {3, 5, 9, 13}},
      {[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return x ^ y ^ z; },
       0x6ED9EBA1,  // 2^30 times the root of 3
       {3, 7, 2, 6, 1, 5, 0, 4},
       {3, 9, 11, 15}}};
  State s = before;
  for (const Round& round : kRounds) {
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t sum = s[0] + round.mix(s[1], s[2], s[3]) + in[round.order[i]] + round.constant;
      s = {s[3], std::rotl(sum, round.shifts[i % 4]), s[1], s[2]};
    }
  }
  for (std::size_t i = 0; i < s.size(); ++i) s[i] += before[i];
  return s;
}

State first_state(const Uuid& seed) {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  if (seed == Uuid{}) return state;
  for (std::size_t i = 0; i < state.size(); ++i) {
    le32 word;
    std::memcpy(&word, seed.bytes.data() + 4 * i, sizeof word);
    state[i] = word;
  }
  return state;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t seed, std::span<const std::byte> bytes) {
  // The library's parameter is not const, but it only reads.
  auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  return ::crc32_iscsi(data, static_cast<int>(bytes.size()), seed);
}

NameHash hash_name(std::string_view name, const Uuid& seed) {
  State state = first_state(seed);
  for (std::string_view rest = name; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kPieceBytes))) {
    state = mixed(state, words_of(rest));
  }
  std::uint32_t major = state[1] & ~1U;
  if (major == kEndOfIndex) major -= 2;
  return {major, state[2]};
}

}  // namespace kiln::image::ext4
