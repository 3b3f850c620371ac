// Integers with a byte order and no alignment, for the structs of disk and archive formats.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace kiln {

template <class T, std::endian Order>
class Ordered {
 public:
  Ordered() = default;
  constexpr Ordered(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_[place(i)] = static_cast<unsigned char>(value >> (8 * i));
  }
  constexpr operator T() const {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | (static_cast<T>(bytes_[place(i)]) << (8 * i)));
    return value;
  }

 private:
  static constexpr std::size_t place(std::size_t i) { return Order == std::endian::little ? i : sizeof(T) - 1 - i; }
  std::array<unsigned char, sizeof(T)> bytes_{};
};

using le16 = Ordered<std::uint16_t, std::endian::little>;
using le32 = Ordered<std::uint32_t, std::endian::little>;
using le64 = Ordered<std::uint64_t, std::endian::little>;
using be16 = Ordered<std::uint16_t, std::endian::big>;
using be32 = Ordered<std::uint32_t, std::endian::big>;
using be64 = Ordered<std::uint64_t, std::endian::big>;

/// The bytes of a struct as they stand on disk.
template <class T>
requires std::is_trivially_copyable_v<T> std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

}  // namespace kiln
