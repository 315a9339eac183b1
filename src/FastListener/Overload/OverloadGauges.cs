using FastListener.Diagnostics;

namespace FastListener.Overload;

/// <summary>What the gates and the pressure show of themselves.</summary>
internal static class OverloadGauges
{
    public static void AddTo(RequestFigures figures, OverloadControl overload)
    {
        figures.AddGauge("pressure_level", "What runs short: 0 nothing, 1 reading is slowed, 2 nothing is read.", () => (int)overload.Pressure.Current.Level);
        figures.AddGauge("connections", "Connections that are served.", () => overload.Connections.Inside);
        figures.AddGauge("connections_waiting", "Connections that wait, unread, for one to end.", () => overload.Connections.Waiting);
        figures.AddGauge("uploads", "Uploads under way.", () => overload.Uploads.Inside);
        figures.AddGauge("uploads_waiting", "Uploads that wait for another to end before they begin.", () => overload.Uploads.Waiting);
        figures.AddGauge("reading_turns", "Uploads whose bytes are being taken in.", () => overload.Reading.Inside);
        figures.AddGauge("reading_waiting", "Uploads that wait for their turn.", () => overload.Reading.Waiting);
        figures.AddGauge("reading_waits_total", "Waits for a turn since the start.", () => overload.Reading.Waits);
        figures.AddGauge("staging", "Forms that stage more than a little before their token.", () => overload.Staging.Inside);
        figures.AddGauge("staging_waiting", "Forms that wait for another's token, or end, to do so.", () => overload.Staging.Waiting);
    }
}
