// OVA: a tar of an OVF descriptor, a manifest and a VMDK. Sizes and hashes are known at the end, so what stands before
// the VMDK has a fixed length and is put in its place then. What is written of it: docs/formats/ova.md.
#include <cassert>

#include "base/text.h"
#include "image/disk/formats.h"
#include "image/disk/vmdk_format.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

constexpr std::string_view kOvfName = "disk.ovf", kManifestName = "disk.mf", kDiskName = "disk.vmdk";
constexpr std::size_t kOvfBytes = 6144;  // it is filled up with spaces
constexpr unsigned kEfiPartition = 15, kBiosPartition = 14;

bool boots_by_efi_alone(const Disk& disk) {
  const auto has = [&disk](unsigned number) {
    return std::any_of(disk.partitions.begin(), disk.partitions.end(),
                       [number](const DiskPartition& p) { return p.number == number; });
  };
  return has(kEfiPartition) && !has(kBiosPartition);
}

/// An item of the machine; more: what it has besides a name and a kind, between elements in the order of the alphabet.
struct Item {
  int id, type;
  std::string_view name;
  std::string before_name = {}, after_name = {}, after_id = {}, after_type = {};
};

std::string render(const Item& item) {
  return fmt::format(
      "   <Item>{}<rasd:ElementName>{}</rasd:ElementName>{}<rasd:InstanceID>{}</rasd:InstanceID>{}"
      "<rasd:ResourceType>{}</rasd:ResourceType>{}</Item>\n",
      item.before_name, item.name, item.after_name, item.id, item.after_id, item.type, item.after_type);
}

std::string element(std::string_view name, std::string_view text) {
  return fmt::format("<rasd:{0}>{1}</rasd:{0}>", name, text);
}

/// Two processors, 2 GiB of memory, a paravirtual SCSI controller with the disk, a network card.
std::string render_items() {
  const Item items[] = {
      {.id = 1,
       .type = 3,
       .name = "2 virtual CPUs",
       .before_name = element("AllocationUnits", "hertz * 10^6"),
       .after_type = element("VirtualQuantity", "2")},
      {.id = 2,
       .type = 4,
       .name = "2048 MB of memory",
       .before_name = element("AllocationUnits", "byte * 2^20"),
       .after_type = element("VirtualQuantity", "2048")},
      {.id = 3,
       .type = 6,
       .name = "SCSI controller 0",
       .before_name = element("Address", "0"),
       .after_id = element("ResourceSubType", "VirtualSCSI")},
      {.id = 4,
       .type = 17,
       .name = "disk 0",
       .before_name = element("AddressOnParent", "0"),
       .after_name = element("HostResource", "ovf:/disk/disk1"),
       .after_id = element("Parent", "3")},
      {.id = 5,
       .type = 10,
       .name = "network card 0",
       .before_name = element("AutomaticAllocation", "true") + element("Connection", "network"),
       .after_id = element("ResourceSubType", "VmxNet3")},
  };
  std::string text;
  for (const Item& item : items) text += render(item);
  return text;
}

std::string render_ovf(const Disk& disk, std::uint64_t vmdk_bytes) {
  std::string text = fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
  xmlns:vmw="http://www.vmware.com/schema/ovf">
 <References>
  <File ovf:href="{}" ovf:id="file1" ovf:size="{}"/>
 </References>
 <DiskSection>
  <Info>The disk</Info>
  <Disk ovf:capacity="{}" ovf:capacityAllocationUnits="byte" ovf:diskId="disk1" ovf:fileRef="file1"
   ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
 </DiskSection>
 <NetworkSection>
  <Info>The network</Info>
  <Network ovf:name="network"><Description>The network that the machine is in</Description></Network>
 </NetworkSection>
 <VirtualSystem ovf:id="machine">
  <Info>A machine</Info>
  <Name>machine</Name>
  <OperatingSystemSection ovf:id="101" vmw:osType="otherLinux64Guest">
   <Info>Linux, 64 bits</Info>
  </OperatingSystemSection>
  <VirtualHardwareSection>
   <Info>What the machine has</Info>
   <System>
    <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
    <vssd:InstanceID>0</vssd:InstanceID>
    <vssd:VirtualSystemIdentifier>machine</vssd:VirtualSystemIdentifier>
    <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType>
   </System>
{}   <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="{}"/>
  </VirtualHardwareSection>
 </VirtualSystem>
</Envelope>
)",
      kDiskName, vmdk_bytes, vmdk::capacity_of(disk), render_items(), boots_by_efi_alone(disk) ? "efi" : "bios");
  assert(text.size() <= kOvfBytes);
  text.resize(kOvfBytes, ' ');
  text.back() = '\n';
  return text;
}

/// ustar; from 8 GiB on the size is the byte 0x80 and the number in base 256.
std::string render_head(std::string_view name, std::uint64_t bytes) {
  const bool is_octal = bytes <= kMaxTarOctal;
  std::string block =
      render_tar_header({.path = std::string(name), .mode = 0644, .size = is_octal ? bytes : 0, .mtime = 0});
  if (is_octal) return block;
  UstarHeader header{};
  block.copy(reinterpret_cast<char*>(&header), sizeof header);
  header.size[0] = '\x80';
  for (std::size_t i = sizeof header.size; i-- > 1; bytes >>= 8) header.size[i] = static_cast<char>(bytes & 0xff);
  fmt::format("{:06o}", tar_checksum(header)).copy(header.checksum, 6);
  return std::string(as_text(bytes_of(header)));
}

std::string padded(std::string text) {
  text.resize(text.size() + tar_padding(text.size()), '\0');
  return text;
}

std::string render_manifest(const Digest& ovf, const Digest& disk) {
  return fmt::format("SHA256({})= {}\nSHA256({})= {}\n", kOvfName, ovf.hex(), kDiskName, disk.hex());
}

/// All that stands before the VMDK; its length is always the same.
std::string render_front(const Disk& disk, std::uint64_t vmdk_bytes, const Digest& vmdk_digest) {
  const std::string ovf = render_ovf(disk, vmdk_bytes);
  const std::string manifest = render_manifest(sha256(ovf), vmdk_digest);
  return render_head(kOvfName, ovf.size()) + padded(ovf) + render_head(kManifestName, manifest.size()) +
         padded(manifest) + render_head(kDiskName, vmdk_bytes);
}

class OvaWriter : public DiskWriter {
 public:
  OvaWriter(const Disk& disk, DiskOutput& out)
      : disk_(disk), out_(out), hash_(&out), vmdk_(disk, hash_, kDiskName), front_bytes_(front(sha256("")).size()) {}
  ChunkForms forms() const override { return vmdk_.forms(); }
  Result<> start() override {
    TRY(out_.zeros(front_bytes_));
    return vmdk_.start();
  }
  Result<> take(const DiskChunk& chunk) override { return vmdk_.take(chunk); }
  Result<> finish() override {
    TRY(vmdk_.finish());
    const std::uint64_t used = front_bytes_ + vmdk_.bytes() + 2 * kTarBlock;
    TRY(out_.write(std::string(2 * kTarBlock + (kTarRecord - used % kTarRecord) % kTarRecord, '\0')));
    return out_.patch(0, as_bytes(front(hash_.digest())));
  }

 private:
  std::string front(const Digest& digest) const { return render_front(disk_, vmdk_.bytes(), digest); }

  const Disk& disk_;
  DiskOutput& out_;
  HashSink hash_;
  vmdk::Writer vmdk_;
  std::size_t front_bytes_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_ova(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  TRY(vmdk::check_size(disk));
  return std::make_unique<OvaWriter>(disk, out);
}

}  // namespace kiln::image
