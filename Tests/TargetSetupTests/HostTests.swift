import Bundle
import Diagnosis
import Glibc
import Host
import Integrity
import Settings
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

@Suite("The host")
struct HostTests {
  private typealias Address = NetworkInterfaces.Address

  @Test("the address is the one given, that of the default route, or the first that is no container's")
  func address() {
    let addresses = [
      Address(interface: "docker0", text: "172.17.0.1"), Address(interface: "eth1", text: "10.0.0.5"),
      Address(interface: "eth0", text: "10.0.0.6"), Address(interface: "eth1", text: "2001:db8::5"),
    ]
    let routed = NetworkInterfaces(routed: "10.0.0.6", addresses: addresses)
    #expect(routed.choose(given: "mirror.example.com") == .given("mirror.example.com"))
    #expect(routed.choose(given: nil) == .routed("10.0.0.6"))
    let isolated = NetworkInterfaces(routed: nil, addresses: addresses)
    #expect(isolated.choose(given: nil) == .first("10.0.0.5", others: ["10.0.0.6", "2001:db8::5"]))
    #expect(NetworkInterfaces(routed: nil, addresses: []).choose(given: nil).address == "127.0.0.1")
  }

  @Test("an address that a machine gave itself is the last choice, and it is said what that means")
  func linkLocal() {
    let own = Address(interface: "eth0", text: "169.254.7.7")
    let other = Address(interface: "eth1", text: "10.0.0.6")
    func addresses(_ routed: String?, _ all: [Address]) -> HostAddresses {
      HostAddresses(NetworkInterfaces(routed: routed, addresses: all), Configuration())
    }
    #expect(addresses(nil, [own, other]).host == "10.0.0.6")
    for found in [addresses(nil, [own]), addresses("169.254.7.7", [own])] {
      #expect(found.host == "169.254.7.7")
      #expect(found.warning?.contains("no DHCP server answered") == true)
      #expect(found.warning?.contains("--address") == true)
    }
    #expect(addresses("10.0.0.6", [own, other]).warning == nil)
  }

  @Test(
    "an address that was named and leads nowhere is told",
    arguments: [
      ("0.0.0.0", "where servers listen"), ("::", "where servers listen"), ("127.0.0.1", "name for itself"),
      ("localhost", "name for itself"), ("::1", "name for itself"), ("169.254.7.7", "one link only"),
      ("FE80::1", "one link only"), ("10.0.0.5", nil), ("fd00::5", nil), ("mirror.example.com", nil),
      ("fec0.example.com", nil),
    ])
  func named(_ address: String, _ said: String?) {
    var configuration = Configuration()
    configuration.target.address = address
    let found = HostAddresses(NetworkInterfaces(routed: nil, addresses: []), configuration)
    #expect(found.address == address)
    #expect(
      said.map { found.warning?.contains($0) == true } ?? (found.warning == nil), "\(found.warning ?? "")")
  }

  @Test("of a folder without a bundle it is told where near it there is one")
  func bundleNearby() throws {
    try withFolder { folder in
      try put("{}", at: folder.appending("site").appending("outputs").appending("bundle.json"))
      try put("", at: folder.appending("site").appending("outputs").appending("files").appending("x"))
      for place in ["site", "site/outputs/files"] {
        let error = StepError.unfinished(folder.pushing(FilePath(place)))
        #expect(error.kind == .otherBundleFolder(folder.appending("site").appending("outputs")), "\(place)")
      }
      #expect(StepError.unfinished(folder).kind == .finishBundle)
      let file = folder.appending("site").appending("outputs").appending("bundle.json")
      let error = #expect(throws: StepError.self) { try SetupContext.bundleFolder(file, [:]) }
      #expect("\(try #require(error))".contains("is a file"))
    }
  }

  @Test("an IPv6 address stands in brackets, and port 80 is not written")
  func urls() {
    var context = context(root: "/nonexistent", bundle: "/nonexistent", address: "2001:db8::5")
    #expect(context.addresses.webServer == "http://[2001:db8::5]")
    #expect(context.addresses.registryHost == "[2001:db8::5]:35000")
    context.configuration.nginx.port = 8080
    context.configuration.nginx.bind = "10.0.0.5"
    #expect(context.addresses.webServer == "http://[2001:db8::5]:8080")
    #expect(context.addresses.localWebServer == "http://10.0.0.5:8080")
  }

  @Test("who listens on a port is named with its process")
  func portOwner() throws {
    let server = try TestServer()
    defer { server.stop() }
    let port = try #require(server.baseURL.split(separator: ":").last.flatMap { Int($0) })
    let owner = try #require(PortOwner.find(port: port))
    #expect(owner.process == getpid())
    #expect(owner.description.contains("process \(getpid())"))
    // Somebody else's address is not in the way.
    #expect(PortOwner.find(port: port, bind: "127.0.0.2") == nil)
    #expect(PortOwner.find(port: port, bind: "127.0.0.1") != nil)
  }

  @Test("nobody listens on a port that was just given back")
  func freePort() throws {
    let server = try TestServer()
    let port = try #require(server.baseURL.split(separator: ":").last.flatMap { Int($0) })
    server.stop()
    #expect(PortOwner.find(port: port) == nil)
  }

  @Test(
    "a bundle on a stick or a share is to be copied",
    arguments: [
      ("vfat", true), ("exfat", true), ("iso9660", true), ("nfs4", true), ("ext4", false), ("xfs", false),
    ])
  func medium(_ type: String, _ isUnreliable: Bool) throws {
    try withFolder { folder in
      try put(
        "30 1 8:17 / /data rw,relatime shared:1 - \(type) /dev/sdb1 rw\n",
        at: folder.appending("self").appending("mountinfo"))
      let medium = Medium(device: 8 << 8 | 17, proc: folder, sys: folder)
      #expect((medium.reasonToLeave != nil) == isUnreliable)
    }
  }

  @Test(
    "so is one in a folder that is emptied by itself",
    arguments: ["/tmp/outputs", "/var/tmp/outputs", "/run/media/me/stick", "/mnt/usb"])
  func temporary(_ path: String) throws {
    #expect(Medium.reason(place: FilePath(path))?.contains("it lies below /") == true)
    #expect(Medium.reason(place: FilePath("/srv\(path)")) == nil)
    #expect(Medium.reason(place: "/tmpfiles/outputs") == nil)
  }

  @Test("so is one on a removable disk, whatever its file system")
  func removable() throws {
    try withFolder { folder in
      try put("1\n", at: folder.appending(FilePath("dev/block/8:17/removable").components))
      #expect(
        Medium(device: 8 << 8 | 17, proc: folder, sys: folder).reasonToLeave == "it lies on a removable disk")
    }
  }
}
