import Bundle
import Testing

@testable import Kubespray

@Suite("Where a file lies that the user fetches from elsewhere")
struct AddressPlaceTests {
  private func place(_ url: String, _ template: String? = nil) throws -> String? {
    let variable = HostEvaluation.Variable(
      template: template ?? url, value: url,
      own: .init(
        template: "https://github.com/a/runc/releases/download/v{{ runc_version }}/runc.{{ image_arch }}",
        value: "https://github.com/a/runc/releases/download/v1.3.4/runc.amd64"))
    let address = try #require(variable.place)
    return try FileLayout(name: .kubesprayOffline).placement(url: address.url, template: address.template)
      .path
  }

  @Test("a mirror of the same version changes nothing")
  func mirror() throws {
    for url in [
      "https://mirror.example/v1.3.4/runc.amd64", "https://mirror.example/get?file=runc", "http://m/runc",
    ] {
      #expect(try place(url) == "runc/v1.3.4/runc.amd64")
    }
  }

  @Test("a build of one's own lies under its own version, without the escapes of its address")
  func build() throws {
    let url = "https://mirror.example/runc/v1.3.4%2Bcorp1/runc.amd64"
    let template = "https://mirror.example/runc/v{{ runc_version }}%2Bcorp1/runc.{{ image_arch }}"
    #expect(try place(url, template) == "runc/v1.3.4+corp1/runc.amd64")
    // A text that cannot be followed back from its value.
    #expect(try place(url, "{{ base | default('x') }}{{ rest }}") == "runc/v1.3.4+corp1/runc.amd64")
  }
}
