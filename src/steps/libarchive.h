// libarchive, loaded at its first use: only compress needs it, and it brings a dozen libraries with it. Private to the
// room.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

namespace kiln::steps {

/// The functions that kiln uses, under their names without "archive_".
struct LibArchive {
  decltype(&::archive_entry_free) entry_free;
  decltype(&::archive_entry_new) entry_new;
  decltype(&::archive_entry_set_filetype) entry_set_filetype;
  decltype(&::archive_entry_set_pathname) entry_set_pathname;
  decltype(&::archive_entry_set_perm) entry_set_perm;
  decltype(&::archive_entry_set_size) entry_set_size;
  decltype(&::archive_error_string) error_string;
  decltype(&::archive_write_add_filter_bzip2) write_add_filter_bzip2;
  decltype(&::archive_write_add_filter_gzip) write_add_filter_gzip;
  decltype(&::archive_write_add_filter_lz4) write_add_filter_lz4;
  decltype(&::archive_write_add_filter_xz) write_add_filter_xz;
  decltype(&::archive_write_close) write_close;
  decltype(&::archive_write_data) write_data;
  decltype(&::archive_write_fail) write_fail;
  decltype(&::archive_write_finish_entry) write_finish_entry;
  decltype(&::archive_write_free) write_free;
  decltype(&::archive_write_header) write_header;
  decltype(&::archive_write_new) write_new;
  decltype(&::archive_write_open2) write_open2;
  decltype(&::archive_write_set_bytes_in_last_block) write_set_bytes_in_last_block;
  decltype(&::archive_write_set_filter_option) write_set_filter_option;
  decltype(&::archive_write_set_format_gnutar) write_set_format_gnutar;
  decltype(&::archive_write_set_format_raw) write_set_format_raw;
  decltype(&::archive_write_set_format_zip) write_set_format_zip;
  decltype(&::archive_write_set_option) write_set_option;
};

/// Loads it the first time, from any thread; the answer stays the same. Errc::not_found.
Result<> load_libarchive();
/// Only after load_libarchive() has succeeded.
const LibArchive& libarchive();

}  // namespace kiln::steps
