import Host
import Testing

@Suite struct OSReleaseTests {
  struct Distribution: Sendable, CustomTestStringConvertible {
    let text: String
    let id: String
    let idLike: [String]
    let versionID: String
    let major: Int?
    let prettyName: String
    let family: OSRelease.Family
    var testDescription: String { prettyName }
  }

  static let distributions = [
    Distribution(
      text: """
        PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        NAME="Debian GNU/Linux"
        VERSION_ID="12"
        VERSION_CODENAME=bookworm
        ID=debian
        HOME_URL="https://www.debian.org/"
        """,
      id: "debian", idLike: [], versionID: "12", major: 12, prettyName: "Debian GNU/Linux 12 (bookworm)",
      family: .debian),
    Distribution(
      text: """
        PRETTY_NAME="Ubuntu 24.04.1 LTS"
        VERSION_ID="24.04"
        ID=ubuntu
        ID_LIKE=debian
        """,
      id: "ubuntu", idLike: ["debian"], versionID: "24.04", major: 24, prettyName: "Ubuntu 24.04.1 LTS",
      family: .debian),
    Distribution(
      text: """
        NAME="Rocky Linux"
        ID="rocky"
        ID_LIKE="rhel centos fedora"
        VERSION_ID="9.4"
        PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
        """,
      id: "rocky", idLike: ["rhel", "centos", "fedora"], versionID: "9.4", major: 9,
      prettyName: "Rocky Linux 9.4 (Blue Onyx)", family: .redHat),
    Distribution(
      text: """
        NAME="Red Hat Enterprise Linux"
        ID="rhel"
        ID_LIKE="centos fedora"
        VERSION_ID="10.0"
        PRETTY_NAME="Red Hat Enterprise Linux 10.0 (Coughlan)"
        """,
      id: "rhel", idLike: ["centos", "fedora"], versionID: "10.0", major: 10,
      prettyName: "Red Hat Enterprise Linux 10.0 (Coughlan)", family: .redHat),
    Distribution(
      text: """
        ID='almalinux'\r
        ID_LIKE='rhel centos fedora'\r
        VERSION_ID='8.10'\r
        PRETTY_NAME='AlmaLinux 8.10 (Cerulean Leopard)'\r
        """,
      id: "almalinux", idLike: ["rhel", "centos", "fedora"], versionID: "8.10", major: 8,
      prettyName: "AlmaLinux 8.10 (Cerulean Leopard)", family: .redHat),
    Distribution(
      text: """
        # a comment ID=other
          ID=Void
        no assignment
        ID_LIKE=""
        PRETTY_NAME="An \\"odd\\" \\$1 \\\\ \\x name"
        """,
      id: "void", idLike: [], versionID: "", major: nil, prettyName: "An \"odd\" $1 \\ \\x name",
      family: .other),
    Distribution(
      text: "", id: "linux", idLike: [], versionID: "", major: nil, prettyName: "Linux", family: .other),
    Distribution(
      text: "ID=mint\\-like\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\nPRETTY_NAME=x\n",
      id: "mint-like", idLike: ["ubuntu", "debian"], versionID: "\"22", major: nil, prettyName: "x",
      family: .debian),
  ]

  @Test(arguments: distributions) func parse(_ expected: Distribution) {
    let release = OSRelease.parse(expected.text)
    #expect(release.id == expected.id)
    #expect(release.idLike == expected.idLike)
    #expect(release.versionID == expected.versionID)
    #expect(release.majorVersion == expected.major)
    #expect(release.prettyName == expected.prettyName)
    #expect(release.family == expected.family)
  }
}
