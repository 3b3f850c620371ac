#include "image/disk/vmdk_format.h"

#include "base/units.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class VmdkTest : public DiskTest {
 protected:
  /// QEMU finds no fault and sees the disk of the raw file.
  void judge(const Disk& disk) {
    const fs::path file = write(disk, "vmdk"), raw = write(disk, "raw");
    EXPECT_THAT(run({"qemu-img", "check", "-f", "vmdk", file}), HasSubstr("No errors were found on the image."));
    EXPECT_THAT(run({"qemu-img", "compare", "-f", "vmdk", "-F", "raw", file, raw}), HasSubstr("Images are identical."));
  }
};

/// Text, noise and zeros by turns over several grain tables, and a table without grains between.
Disk mixed_disk() {
  std::string mixed;
  for (std::size_t i = 0; i < 700; ++i) {
    mixed += i % 7 == 0   ? noise(kChunkBytes, i)
             : i % 5 == 0 ? std::string(kChunkBytes, '\0')
                          : std::string(kChunkBytes - 100, static_cast<char>(i)) + noise(100, i);
  }
  Disk disk;
  std::vector<ImagePart> parts;
  parts.push_back({0, image_from(std::move(mixed))});
  parts.push_back({100 * kMiB + 7, image_from(noise(3 * kMiB, 3))});
  disk.image = compose(kGiB, std::move(parts));
  return disk;
}

TEST_F(VmdkTest, QemuReadsTheDiskBack) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  judge(stand_in_disk(kGiB));
  judge(mixed_disk());
  const std::string facts = run({"qemu-img", "info", "-f", "vmdk", dir.path() / "disk.vmdk"});
  EXPECT_THAT(facts, HasSubstr("virtual size: 1 GiB (1073741824 bytes)"));
  EXPECT_THAT(facts, HasSubstr("create type: streamOptimized"));
}

TEST_F(VmdkTest, SizesThatAreNoWholeGrainAndEmptyDisks) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  judge(stand_in_disk(4 * kMiB + 512));
  Disk empty;
  empty.image = compose(33 * kMiB, {});
  judge(empty);
}

/// Reads a file front to back, as importers do: by its markers alone.
constexpr const char* kStreamReader = R"(
import struct, sys, zlib
f, raw = open(sys.argv[1], "rb"), open(sys.argv[2], "rb")
header = f.read(512)
capacity, grain = struct.unpack_from("<QQ", header, 12)
f.seek(128 * 512)
seen, tables, kinds = {}, 0, []
while True:
    at = f.tell()
    value, size = struct.unpack("<QI", f.read(12))
    if size:
        stream = zlib.decompressobj()
        plain = stream.decompress(f.read(size))
        assert stream.eof and not stream.unused_data and len(plain) == 65536
        raw.seek(value * 512)
        assert raw.read(65536).ljust(65536, b"\0") == plain, value
        seen[value // 128] = at // 512
        f.seek((f.tell() + 511) // 512 * 512)
        continue
    kind, = struct.unpack("<I", f.read(4))
    kinds.append(kind)
    f.seek(at + 512)
    body = f.read(value * 512)
    if kind == 1:
        entries = struct.unpack("<512I", body)
        assert [e for e in entries if e] == sorted(e for e in entries if e)
        assert set(entries) - {0} <= set(seen.values())
        tables += sum(1 for e in entries if e)
    if kind == 0: break
assert f.read() == b"" and tables == len(seen), (tables, len(seen))
print(kinds)
)";

TEST_F(VmdkTest, AReaderOfTheStreamAloneFindsEveryGrain) {
  const Disk disk = mixed_disk();
  EXPECT_EQ(run({"python3", "-c", kStreamReader, write(disk, "vmdk"), write(disk, "raw")}), "[1, 1, 1, 2, 3, 0]\n");
}

TEST_F(VmdkTest, HeaderDescriptorAndFooterAreTheGoldenOnes) {
  const std::string file = must(read_file(write(stand_in_disk(64 * kMiB), "vmdk")));
  expect_golden("disk/vmdk.hex",
                hex_dump(std::string_view(file).substr(0, 128 * 512)) +
                    hex_dump(std::string_view(file).substr(file.size() - 5 * 512), file.size() - 5 * 512));
}

TEST_F(VmdkTest, TheLimitIsSaid) {
  for (const char* format : {"vmdk", "ova"}) {
    ScarceOutput out;
    const auto done = write_disk(stand_in_disk(2049 * kGiB), *must(find_disk_format(format)), out, {.cancel = cancel});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::usage);
    EXPECT_EQ(done.error().text(), "VMDK holds disks up to 2048 GiB; this one has 2049");
    EXPECT_EQ(out.text, "");
  }
}

class OvaTest : public DiskTest {
 protected:
  /// The members of an OVA, unpacked.
  fs::path unpacked(const Disk& disk) {
    fs::path out = fresh("unpacked");
    EXPECT_EQ(run({"tar", "-xf", write(disk, "ova"), "-C", out}), "");
    return out;
  }
};

TEST_F(OvaTest, MembersStandInTheOrderOfTheStandard) {
  const fs::path file = write(stand_in_disk(64 * kMiB), "ova");
  EXPECT_THAT(run({"tar", "-tvf", file}), testing::MatchesRegex("-rw-r--r-- 0/0 +[0-9]+ 1970-01-01 00:00 disk.ovf\n"
                                                                "-rw-r--r-- 0/0 +[0-9]+ 1970-01-01 00:00 disk.mf\n"
                                                                "-rw-r--r-- 0/0 +[0-9]+ 1970-01-01 00:00 disk.vmdk\n"));
  EXPECT_EQ(fs::file_size(file) % 10'240, 0U);
}

TEST_F(OvaTest, TheManifestAgreesAndTheDiskIsTheVmdk) {
  const Disk disk = stand_in_disk(64 * kMiB);
  const fs::path out = unpacked(disk);
  EXPECT_EQ(run({"sh", "-c", fmt::format("cd '{}' && sha256sum -c disk.mf", out)}), "disk.ovf: OK\ndisk.vmdk: OK\n");
  EXPECT_EQ(run({"cmp", out / "disk.vmdk", write(disk, "vmdk")}), "");
}

TEST_F(OvaTest, TheDescriptorSaysWhatIsThere) {
  constexpr const char* kCheck = R"(
import os, sys, xml.etree.ElementTree as xml
ovf = "{http://schemas.dmtf.org/ovf/envelope/1}"
rasd = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
root = xml.parse(sys.argv[1] + "/disk.ovf").getroot()
assert root.tag == ovf + "Envelope"
[file] = root.findall(f"{ovf}References/{ovf}File")
[disk] = root.findall(f"{ovf}DiskSection/{ovf}Disk")
assert file.get(ovf + "href") == "disk.vmdk" and disk.get(ovf + "fileRef") == file.get(ovf + "id")
assert int(file.get(ovf + "size")) == os.path.getsize(sys.argv[1] + "/disk.vmdk")
assert disk.get(ovf + "capacity") == "67108864" and disk.get(ovf + "format").endswith("vmdk.html#streamOptimized")
items = root.findall(f"{ovf}VirtualSystem/{ovf}VirtualHardwareSection/{ovf}Item")
for item in items:
    names = [e.tag for e in item]
    assert names == sorted(names), names
    assert item.find(rasd + "InstanceID") is not None and item.find(rasd + "ElementName") is not None
ids = [i.find(rasd + "InstanceID").text for i in items]
assert len(set(ids)) == len(ids)
types = {i.find(rasd + "ResourceType").text: i for i in items}
assert sorted(types) == ["10", "17", "3", "4", "6"], types
assert types["17"].find(rasd + "HostResource").text == "ovf:/disk/" + disk.get(ovf + "diskId")
assert types["17"].find(rasd + "Parent").text == types["6"].find(rasd + "InstanceID").text
print(root.find(".//{http://www.vmware.com/schema/ovf}Config").attrib.values())
)";
  const Disk disk = stand_in_disk(64 * kMiB);
  EXPECT_THAT(run({"python3", "-c", kCheck, unpacked(disk)}), HasSubstr("'firmware', 'bios'"));
  Disk efi = disk;
  efi.partitions = {{.number = 15, .name = "efi"}, {.number = 1, .name = "root"}};
  fs::remove_all(dir.path() / "unpacked");
  EXPECT_THAT(run({"python3", "-c", kCheck, unpacked(efi)}), HasSubstr("'firmware', 'efi'"));
}

}  // namespace
}  // namespace kiln::image
