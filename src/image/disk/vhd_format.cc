#include "image/disk/vhd_format.h"

namespace kiln::image::vhd {

namespace {

template <class T>
T with_checksum(T t) {
  t.checksum = 0;
  std::uint32_t sum = 0;
  for (const std::byte b : bytes_of(t)) sum += std::to_integer<std::uint32_t>(b);
  t.checksum = ~sum;
  return t;
}

}  // namespace

Footer footer_of(std::uint64_t bytes, Type type, const Uuid& id) {
  Footer footer;
  footer.original_bytes = footer.bytes = bytes;
  footer.cylinders = 65535;  // the largest geometry: it says that the size in bytes counts
  footer.heads = 16;
  footer.sectors = 255;
  footer.type = static_cast<std::uint32_t>(type);
  footer.id = id.bytes;
  if (type == Type::dynamic) footer.header_offset = sizeof(Footer);
  return with_checksum(footer);
}

DynamicHeader header_of(std::uint64_t bytes) {
  DynamicHeader header;
  header.table_offset = kTableOffset;
  header.blocks = static_cast<std::uint32_t>((bytes + kBlock - 1) / kBlock);
  return with_checksum(header);
}

}  // namespace kiln::image::vhd
