namespace MiniCnn.Tests;

/// <summary>Stands in for the network: notes the addresses it is asked for, and answers with <paramref name="bytes"/>, or that there is nothing.</summary>
sealed class Asked(byte[]? bytes = null) : HttpMessageHandler
{
    public List<string> Requests { get; } = [];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add(request.RequestUri!.AbsoluteUri);
        return Task.FromResult(bytes is null
            ? new HttpResponseMessage(System.Net.HttpStatusCode.NotFound) : new HttpResponseMessage { Content = new ByteArrayContent(bytes) });
    }
}
