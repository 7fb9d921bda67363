import Bundle
import Testing

@Suite struct VerificationTests {
  /// Every source of a digest and every way that it can come.
  @Test(arguments: [
    (Verification.DigestSource.kubespray, Verification.Channel.proved, "kubespray-checksum"),
    (.kubespray, .open, "kubespray-plain-http"),
    (.repository, .proved, "repository-metadata"), (.repository, .open, "unsigned-repository"),
    (.registry, .proved, "registry-digest"), (.registry, .open, "registry-plain-http"),
    (.user, .proved, "given-checksum"), (.user, .open, "given-checksum"),
    (.nobody, .proved, "tls-only"), (.nobody, .open, "none"),
  ])
  func theWeakerOfDigestAndChannelDecides(
    _ source: Verification.DigestSource, _ channel: Verification.Channel, _ label: String
  ) {
    #expect(Verification(source, over: channel).rawValue == label)
  }

  @Test(arguments: [
    ("https://a.example/x", Verification.Channel.proved), ("HTTPS://a.example/x", .proved),
    ("file:///x", .proved), ("ssh://git@a.example/x", .proved), ("http://a.example/x", .open),
    ("git://a.example/x", .open), ("ftp://a.example/x", .open), ("", .open),
  ])
  func theChannelIsThatOfTheURL(_ url: String, _ channel: Verification.Channel) {
    #expect(Verification.Channel(url: url) == channel)
  }

  @Test func noTwoLabelsReadTheSame() {
    #expect(Set(Verification.allCases.map(\.summary)).count == Verification.allCases.count)
  }
}
