import Bundle
import Settings
import Testing
import YAML

/// What each setting accepts, by the text that goes in and the text that comes out.
@Suite struct ConfigurationValueTests {
  private func accepted(_ key: String, _ text: String) throws -> String? {
    let parts = key.split(separator: ".")
    let quoted = YAML.quoted(text)
    let file = parts.count == 1 ? "\(key): \(quoted)\n" : "\(parts[0]):\n  \(parts[1]): \(quoted)\n"
    let document = try #require(try YAML.parse(file, source: "f.yml"))
    let configuration = try? Configuration.resolve(documents: [document])
    return configuration?.entries.first { $0.key == key }?.value
  }

  @Test(
    arguments: [
      ("kubespray.version", "2.30.0", "2.30.0"), ("kubespray.version", "v2.30.0", "2.30.0"),
      ("kubespray.version", "2.31.0-rc.1", "2.31.0-rc.1"), ("kubespray.version", "master", "master"),
      ("kubespray.version", "release-2.30", "release-2.30"), ("kubespray.version", "0123ABC", "0123abc"),
      ("kubespray.version", "2.30", nil), ("kubespray.version", "main", nil),
      ("kubespray.version", "abc12", nil),
      ("kubespray.version", "2.30.0; rm -rf /", nil), ("kubespray.version", "../2.30.0", nil),
      ("kubespray.version", "٢.٣٠.٠", nil), ("kubespray.version", "release-2.30.0", nil),
      ("kubespray.version", "", nil), ("kubespray.version", String(repeating: "a", count: 41), nil),
      ("architecture", "auto", "auto"), ("architecture", "x86_64", "amd64"), ("architecture", "AMD64", nil),
      ("kubespray.selection", "enabled", "enabled"), ("kubespray.selection", "some", nil),
      ("files.layout", "original", "original"), ("files.layout", "Original", nil),
      ("files.layout", "auto", "auto"),
      ("versions.runc", "auto", "auto"), ("versions.runc", "v1.3.4", "1.3.4"),
      ("versions.runc", "latest", nil),
      ("versions.nginx", "1.29.4-alpine", "1.29.4-alpine"), ("versions.nginx", "a:b", nil),
      ("versions.nginx", "", nil), ("versions.nginx", ".x", nil),
      ("registry.port", "1", "1"), ("registry.port", "65535", "65535"), ("registry.port", "0", nil),
      ("registry.port", "65536", nil), ("registry.port", "+5", nil), ("registry.port", "0x10", nil),
      ("registry.port", "035", nil), ("registry.port", "", nil), ("registry.port", "5000 ", nil),
      ("registry.port", "99999999999999999999", nil),
      ("registry.directory", "/srv/r", "/srv/r"), ("registry.directory", "srv/r", nil),
      ("registry.directory", "~/r", nil), ("registry.directory", "/a\nb", nil),
      ("registry.local", "", ""), ("registry.local", "r.io:5000/a/b", "r.io:5000/a/b"),
      ("registry.local", "http://r.io", "r.io"), ("registry.local", "r.io:70000", nil),
      ("registry.local", "r.io/", "r.io"), ("registry.local", "[FD00::1]:5000/a", "[fd00::1]:5000/a"),
      ("registry.local", "[::1]", "[::1]"), ("registry.local", "::1", nil), ("registry.local", "[1]:5", nil),
      ("images.skip", "True", "true"), ("images.skip", "off", "false"), ("images.skip", "1", nil),
      ("refresh_after", "24h", "1d"), ("refresh_after", "0s", "0s"), ("refresh_after", "90", "90s"),
      ("refresh_after", "90m", "90m"), ("refresh_after", "36H", "36h"), ("refresh_after", "7d", "7d"),
      ("refresh_after", "-1s", nil), ("refresh_after", "1.5h", nil), ("refresh_after", "1w", nil),
      ("refresh_after", "9223372036854775807d", nil), ("refresh_after", "", nil),
      ("packages.host", "auto", "auto"), ("packages.host", "Debian-12", "debian-12"),
      ("packages.host", "debian", nil), ("packages.host", "host", nil), ("packages.host", "../x-1", nil),
      ("packages.signing_key", "", ""), ("packages.signing_key", "keys/repo.asc", "keys/repo.asc"),
      ("outputs", "~/out puts", "~/out puts"), ("outputs", "", nil), ("outputs", "a\u{0}b", nil),
      ("transfer.parallel", "64", "64"), ("transfer.parallel", "65", nil), ("transfer.per_host", "33", nil),
      ("transfer.retries", "0", "0"), ("transfer.retries", "-1", nil),
      ("transfer.connect_timeout", "30", "30s"), ("transfer.connect_timeout", "30s", "30s"),
      ("transfer.connect_timeout", "0s", nil), ("transfer.connect_timeout", "30 s", nil),
      ("transfer.connect_timeout", "1m", nil), ("transfer.stall_timeout", "3601", nil),
      ("transfer.limit_rate", "0", "0"), ("transfer.limit_rate", "10M", "10M"),
      ("transfer.limit_rate", "1024", "1K"), ("transfer.limit_rate", "1000", "1000"),
      ("transfer.limit_rate", "2g", "2G"), ("transfer.limit_rate", "10MB", nil),
      ("transfer.limit_rate", "1.5M", nil),
      ("transfer.limit_rate", "-1", nil), ("transfer.limit_rate", "M", nil),
      ("transfer.limit_rate", "9223372036854775807G", nil),
      ("proxy.http", "proxy.example.com:3128", "proxy.example.com:3128"),
      ("proxy.http", "socks5h://p:1080", "socks5h://p:1080"), ("proxy.http", "ftp://p:1", nil),
      ("proxy.http", "http://a b", nil), ("proxy.http", "http://p/path", nil),
      ("proxy.http", "http://ann:pw%40x@p:1/", "http://ann:***@p:1/"),
      ("proxy.http", "http://[fd00::1]:8", "http://[fd00::1]:8"),
      ("proxy.http", "http://corp\\ann:pw@p:1", nil), ("proxy.http", "http://ann:p@w@p:1", nil),
      ("proxy.http", "http://ann:p#w@p:1", nil), ("proxy.http", "http://ann:p/w@p:1", nil),
      ("proxy.http", "http://ann:p?w@p:1", nil), ("proxy.http", "http://ann:p w@p:1", nil),
      ("proxy.http", "http://p:99999", nil), ("proxy.http", "http://ann:pw", nil),
    ] as [(String, String, String?)])
  func values(_ key: String, _ text: String, _ expected: String?) throws {
    #expect(try accepted(key, text) == expected)
  }

  @Test(arguments: [
    ("http://user:secret@proxy:3128", "http://user:***@proxy:3128"),
    ("user:secret@proxy:3128", "user:***@proxy:3128"),
    ("http://user:p@ss/w@proxy:3128", "http://user:***@proxy:3128"),
    ("https://token@github.com/a/b.git", "https://***@github.com/a/b.git"),
    ("https://github.com/a/b@v1", "https://github.com/a/b@v1"),
    ("git@github.com:a/b.git", "git@github.com:a/b.git"),
    ("http://proxy:3128", "http://proxy:3128"), ("", ""),
    ("https://a/b?X-Amz-Signature=abc&x=1", "https://a/b?X-Amz-Signature=***&x=1"),
  ])
  func secretsAreMasked(_ text: String, _ expected: String) {
    #expect(maskingSecrets(in: text) == expected)
  }

  @Test(arguments: [
    "http://corp\\ann:Geheim@im9876@127.0.0.1:5050", "http://ann:Geheim#im9876@127.0.0.1:5050",
    "http://ann:Geheim/im9876@127.0.0.1:5050", "http://ann:Geheim im9876@127.0.0.1:5050",
    "ann:Geheim\\im9876@127.0.0.1:5050",
  ])
  func aProxyThatCannotBeReadIsRefusedWithoutItsPassword(_ proxy: String) throws {
    for name in ["http_proxy", "https_proxy"] {
      let error = #expect(throws: ConfigurationError.self) {
        try Configuration.resolve(documents: [], environment: [name: proxy])
      }
      let text = try #require(error?.description)
      #expect(text.contains("percent-encoded") && text.contains(name))
      #expect(!text.contains("Geheim") && !text.contains("im9876"), "\(text)")
    }
  }

  @Test func aPasswordIsNeverShown() throws {
    let proxy = "http://user:hunter2@proxy:3128"
    let configuration = try Configuration.resolve(documents: [], environment: ["https_proxy": proxy])
    #expect(configuration.proxy.https == proxy)
    #expect(!configuration.entries.contains { $0.value.contains("hunter2") })
    #expect(!configuration.yaml().contains("hunter2"))
    let document = try YAML.parse(
      "proxy: {http: 'bad://u:hunter2@p'}\nmirrors: {h: 'bad://u:hunter2@p'}", source: "f")
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration.resolve(
        documents: [try #require(document)], environment: ["https_proxy": "bad://u:hunter2@p"])
    }
    #expect(error?.problems.count == 3)
    #expect(error?.description.contains("hunter2") == false)
  }
}
