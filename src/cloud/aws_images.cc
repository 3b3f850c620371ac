// Signature Version 4, and EC2's DescribeImages.
#include <algorithm>
#include <ctime>
#include <pugixml.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/aws.h"
#include "cloud/url.h"

namespace kiln::cloud {

namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";
constexpr const char* kForm = "application/x-www-form-urlencoded; charset=utf-8";
constexpr std::uint64_t kMaxAnswer = std::uint64_t{64} << 20;  // all images of an owner are about 20 MB

/// "20150830T123600Z"
std::string basic_time(std::int64_t seconds) {
  const std::time_t when = seconds;
  std::tm utc{};
  ::gmtime_r(&when, &utc);
  char buffer[32];
  return {buffer, std::strftime(buffer, sizeof buffer, "%Y%m%dT%H%M%SZ", &utc)};
}

/// The host as the client sends it: the port only where it is not the scheme's own.
std::string host_header(const Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  return usual ? url.host : fmt::format("{}:{}", url.host, url.port);
}

std::string signing_key(const AwsAccess& access, const std::string& day, std::string_view service) {
  std::string key = hmac_sha256("AWS4" + access.credentials.secret_key, day);
  for (const std::string_view part : {std::string_view(access.region), service, std::string_view("aws4_request")})
    key = hmac_sha256(key, part);
  return key;
}

/// Numbered parameters of a list: PREFIX.1, PREFIX.2 ...
std::string form_of(const Ec2ImageQuery& query) {
  std::string form = "Action=DescribeImages&Version=2016-11-15";
  std::size_t n = 0;
  for (const auto& [name, value] : query.filters) {
    ++n;
    form += fmt::format("&Filter.{0}.Name={1}&Filter.{0}.Value.1={2}", n, url_escape(name), url_escape(value));
  }
  n = 0;
  for (const std::string& owner : query.owners) form += fmt::format("&Owner.{}={}", ++n, url_escape(owner));
  return form + (query.include_deprecated ? "&IncludeDeprecated=true" : "");
}

Ec2Image image_in(const pugi::xml_node& item) {
  Ec2Image image{item.child_value("imageId"),         item.child_value("name"),
                 item.child_value("creationDate"),    item.child_value("imageOwnerId"),
                 item.child_value("imageOwnerAlias"), {}};
  for (const pugi::xml_node& tag : item.child("tagSet").children("item"))
    image.tags[tag.child_value("key")] = tag.child_value("value");
  return image;
}

}  // namespace

std::vector<Header> aws_signature(const HttpRequest& request, std::string_view body, const AwsAccess& access,
                                  std::string_view service, std::int64_t seconds) {
  const auto url = Url::parse(request.url);
  if (!url) return {};
  const std::string time = basic_time(seconds);
  const std::string day = time.substr(0, 8);
  std::map<std::string, std::string> sent = {{"host", host_header(*url)}, {"x-amz-date", time}};
  for (const Header& header : request.headers) sent[ascii_lower(header.name)] = header.value;
  if (!access.credentials.token.empty()) sent["x-amz-security-token"] = access.credentials.token;
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : sent) {
    lines += fmt::format("{}:{}\n", name, trim(value));
    names.push_back(name);
  }
  const std::string signed_names = join(names, ";");
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, (*url).path, (*url).query, lines,
                                            signed_names, sha256(body).hex());
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, access.region, service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, sha256(canonical).hex());
  const std::string signature = to_hex(hmac_sha256(signing_key(access, day, service), to_sign));
  std::vector<Header> out = {{"X-Amz-Date", time, false}};
  if (!access.credentials.token.empty()) out.push_back({"X-Amz-Security-Token", access.credentials.token, true});
  out.push_back({"Authorization",
                 fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                             access.credentials.access_key, scope, signed_names, signature),
                 true});
  return out;
}

Result<std::vector<Ec2Image>> read_images(std::string_view answer) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(answer.data(), answer.size());
  if (!parsed)
    return error(Errc::corrupt, "an answer about images is no XML: {} at byte {}", parsed.description(), parsed.offset);
  const pugi::xml_node set = document.document_element().child("imagesSet");
  if (!set) return error(Errc::corrupt, "an answer about images has no imagesSet");
  std::vector<Ec2Image> images;
  for (const pugi::xml_node& item : set.children("item")) images.push_back(image_in(item));
  std::stable_sort(images.begin(), images.end(),
                   [](const Ec2Image& a, const Ec2Image& b) { return a.creation_date > b.creation_date; });
  return images;
}

Result<std::vector<Ec2Image>> describe_images(HttpClient& client, const AwsAccess& access, const std::string& endpoint,
                                              const Ec2ImageQuery& query, const Cancel& cancel) {
  const std::string suffix = access.region.starts_with("cn-") ? ".cn" : "";
  const std::string form = form_of(query);
  HttpRequest request;
  request.method = "POST";
  request.url = endpoint.empty() ? fmt::format("https://ec2.{}.amazonaws.com{}/", access.region, suffix) : endpoint;
  request.headers = {{"Content-Type", kForm}};
  request.body = text_body(form);
  request.max_body = kMaxAnswer;
  request.redirects = 0;
  for (Header& header : aws_signature(request, form, access, "ec2", unix_now())) request.headers.push_back(header);
  const HttpResponse response = TRY(client.send(request, cancel).context("asking EC2 for images"));
  if (!response.head.is_success()) return status_error(request, response);
  return read_images(response.body);
}

}  // namespace kiln::cloud
